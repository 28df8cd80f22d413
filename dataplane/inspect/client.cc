#include "dataplane/inspect/client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pmd/instance.h"

namespace corelane::inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kGreetingBytes = 1024;
// An instance that is being debugged answers late; one that hangs, never.
constexpr timeval kTimeout = {.tv_sec = 5, .tv_usec = 0};
// A list of 64 million sockets has fewer pages; a faulty instance might send
// cursors for ever.
constexpr uint64_t kMostPages = uint64_t{1} << 24;

absl::Status NotRunning(const std::string& name) {
  const std::vector<std::string> others = pmd::ListInstances();
  const std::string there_is =
      others.empty()
          ? "start one, such as: corelane echo --addr 10.77.0.2/24"
          : absl::StrCat("running here: ", absl::StrJoin(others, ", "),
                         "; choose one with --name ", others[0]);
  return absl::NotFoundError(absl::StrCat(
      "no instance named '", name, "' is running under this user; ", there_is));
}

}  // namespace

absl::StatusOr<Client> Client::Connect(const std::string& name) {
  if (absl::Status s = pmd::CheckInstanceName(name); !s.ok()) return s;
  return ConnectTo(pmd::TelemetrySocketPath(name), name);
}

absl::StatusOr<Client> Client::ConnectTo(const std::string& path,
                                         const std::string& name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the socket's path ", path, " is too long"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no socket to be had: ", std::strerror(errno)));
  }
  Client client(fd, name);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof(kTimeout));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    if (errno == EACCES || errno == EPERM) {
      return absl::PermissionDeniedError(
          absl::StrCat("this user may not ask instance '", name,
                       "'; run as the user who started it"));
    }
    // ECONNREFUSED: the socket of an instance that was killed.
    return NotRunning(name);
  }
  if (absl::Status s = client.ReadGreeting(); !s.ok()) return s;
  return client;
}

Client::~Client() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Client::ReadGreeting() {
  absl::StatusOr<std::string> text = Receive(kGreetingBytes);
  if (!text.ok()) return text.status();
  const Json greeting = Json::parse(*text, nullptr, false);
  if (!greeting.is_object() || !greeting.contains("max_output_len") ||
      !greeting["max_output_len"].is_number_unsigned()) {
    return absl::DataLossError(absl::StrCat(
        "instance '", name_, "' does not speak DPDK's telemetry protocol"));
  }
  max_reply_ = greeting["max_output_len"].get<size_t>();
  return absl::OkStatus();
}

absl::StatusOr<std::string> Client::Receive(size_t limit) {
  std::string text(limit, '\0');
  ssize_t n;
  do {
    n = recv(fd_, text.data(), text.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) {
    const bool late = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return absl::UnavailableError(absl::StrCat(
        "instance '", name_, late ? "' does not answer" : "' has just ended"));
  }
  text.resize(static_cast<size_t>(n));
  return text;
}

absl::StatusOr<Json> Client::Ask(const std::string& command) {
  if (send(fd_, command.data(), command.size(), MSG_NOSIGNAL) < 0) {
    return absl::UnavailableError(
        absl::StrCat("instance '", name_, "' has just ended"));
  }
  absl::StatusOr<std::string> text = Receive(max_reply_ + kGreetingBytes);
  if (!text.ok()) return text.status();
  const std::string key = command.substr(0, command.find(','));
  const Json reply = Json::parse(*text, nullptr, false);
  if (!reply.is_object() || !reply.contains(key)) {
    return absl::DataLossError(absl::StrCat(
        "instance '", name_, "' answered something else than ", key));
  }
  const Json& body = reply[key];
  if (body.is_null()) {
    return absl::UnimplementedError(
        absl::StrCat("the process that runs as '", name_, "' does not know ",
                     key, "; is it a corelane of this version?"));
  }
  if (body.is_object() && body.contains("error") && body["error"].is_string()) {
    auto message = body["error"].get<std::string>();
    // DPDK's strings are short: the rest follows in error1, error2, ...
    for (int part = 1;; ++part) {
      const auto more = body.find(absl::StrCat("error", part));
      if (more == body.end() || !more->is_string()) break;
      message += more->get<std::string>();
    }
    return absl::UnavailableError(
        absl::StrCat("instance '", name_, "': ", message));
  }
  return body;
}

absl::Status Client::ForEach(const std::string& command,
                             const std::string& parameters,
                             const std::function<void(Json)>& row) {
  uint64_t cursor = 0;
  for (uint64_t page = 0; page < kMostPages; ++page) {
    absl::StatusOr<Json> reply =
        Ask(absl::StrCat(command, ",", cursor, parameters));
    if (!reply.ok()) return reply.status();
    if (!reply->is_object()) break;
    std::optional<uint64_t> next;
    for (auto& [key, value] : reply->items()) {
      if (key == "next" && value.is_number_unsigned()) {
        next = value.get<uint64_t>();
      } else {
        row(std::move(value));
      }
    }
    if (!next.has_value()) return absl::OkStatus();
    // Each page starts behind the one before, or this would never end.
    if (*next <= cursor) break;
    cursor = *next;
  }
  return absl::DataLossError(
      absl::StrCat("instance '", name_, "' sent a list that makes no sense"));
}

absl::StatusOr<Json> Client::AskAll(const std::string& command,
                                    const std::string& parameters) {
  Json rows = Json::array();
  absl::Status status = ForEach(
      command, parameters, [&](Json row) { rows.push_back(std::move(row)); });
  if (!status.ok()) return status;
  return rows;
}

}  // namespace corelane::inspect
