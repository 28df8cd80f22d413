// Asks a running instance over DPDK's telemetry socket.
#ifndef CORELANE_DATAPLANE_INSPECT_CLIENT_H_
#define CORELANE_DATAPLANE_INSPECT_CLIENT_H_

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace corelane::inspect {

class Client {
 public:
  // Errors say which instances there are.
  static absl::StatusOr<Client> Connect(const std::string& name);
  // The same by the socket's path; `name` is for messages.
  static absl::StatusOr<Client> ConnectTo(const std::string& path,
                                          const std::string& name);
  ~Client();
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        max_reply_(other.max_reply_),
        name_(std::move(other.name_)) {}
  Client& operator=(Client&&) = delete;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // What the instance answers to one command, "/corelane/stats".
  absl::StatusOr<nlohmann::ordered_json> Ask(const std::string& command);

  // Calls `row` with each row of a list, which is fetched page by page: a list
  // may be longer than memory. `parameters` follow the cursor, such as ",wide".
  absl::Status ForEach(const std::string& command,
                       const std::string& parameters,
                       const std::function<void(nlohmann::ordered_json)>& row);

  // All rows of a list, fetched page by page. `parameters` follow the cursor,
  // such as ",wide".
  absl::StatusOr<nlohmann::ordered_json> AskAll(
      const std::string& command, const std::string& parameters = "");

 private:
  Client(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  absl::Status ReadGreeting();
  absl::StatusOr<std::string> Receive(size_t limit);

  int fd_;
  size_t max_reply_ = 0;
  std::string name_;
};

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_CLIENT_H_
