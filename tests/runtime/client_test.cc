#include "dataplane/inspect/client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corelane::inspect {
namespace {

using testing::HasSubstr;

constexpr char kGreeting[] =
    R"({"version":"DPDK 22.11.0","pid":1,"max_output_len":16384})";

// Something that listens where an instance would.
class FakeInstance {
 public:
  FakeInstance() {
    char folder[] = "/tmp/corelane_client_XXXXXX";
    if (mkdtemp(folder) == nullptr) std::abort();
    folder_ = folder;
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(),
                 sizeof(address.sun_path) - 1);
    fd_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
            0 ||
        listen(fd_, 1) != 0) {
      std::abort();
    }
  }
  ~FakeInstance() {
    Stop();
    std::filesystem::remove_all(folder_);
  }

  std::string path() const { return folder_ + "/socket"; }

  // Answers one client; an empty answer hangs up.
  void Serve(const std::string& greeting,
             std::function<std::string(const std::string&)> answer) {
    thread_ = std::thread([this, greeting, answer = std::move(answer)] {
      const int client = accept(fd_, nullptr, nullptr);
      if (client < 0) return;
      send(client, greeting.data(), greeting.size(), MSG_NOSIGNAL);
      char text[1024];
      for (ssize_t n; (n = recv(client, text, sizeof(text), 0)) > 0;) {
        const std::string reply =
            answer(std::string(text, static_cast<size_t>(n)));
        if (reply.empty()) break;
        send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
      }
      close(client);
    });
  }

  // Leaves the socket's file behind, as a process that was killed does.
  void Stop() {
    if (fd_ < 0) return;
    shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    close(std::exchange(fd_, -1));
  }

 private:
  std::string folder_;
  int fd_;
  std::thread thread_;
};

std::string Message(const absl::Status& status) {
  return absl::StrCat(status.message());
}

TEST(ClientTest, FetchesPageByPage) {
  FakeInstance instance;
  std::vector<std::string> asked;
  instance.Serve(kGreeting, [&asked](const std::string& command) {
    asked.push_back(command);
    if (asked.size() == 1) return R"({"/list":{"0":{"a":1},"next":9}})";
    if (asked.size() == 2) return R"({"/list":{"next":12}})";
    return R"({"/list":{"0":{"a":2},"1":{"a":3}}})";
  });
  {
    auto client = Client::ConnectTo(instance.path(), "x");
    ASSERT_TRUE(client.ok()) << client.status();
    const auto rows = client->AskAll("/list", ",wide");
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ(rows->dump(), R"([{"a":1},{"a":2},{"a":3}])");
  }
  instance.Stop();
  EXPECT_THAT(asked, testing::ElementsAre("/list,0,wide", "/list,9,wide",
                                          "/list,12,wide"));
}

struct BadReply {
  const char* reply;
  const char* says;
};

TEST(ClientTest, SaysWhatIsWrongWithAnAnswer) {
  const BadReply kCases[] = {
      {"", "has just ended"},
      {"{", "something else"},
      {"[]", "something else"},
      {R"({"/other":{}})", "something else"},
      {R"({"/list":null})", "does not know /list"},
      {R"({"/list":{"error":"the stack is stopping"}})", "is stopping"},
      {R"({"/list":[1]})", "makes no sense"},
      // Would go round for ever.
      {R"({"/list":{"next":0}})", "makes no sense"},
  };
  for (const BadReply& bad : kCases) {
    FakeInstance instance;
    instance.Serve(kGreeting, [&bad](const std::string&) { return bad.reply; });
    auto client = Client::ConnectTo(instance.path(), "x");
    ASSERT_TRUE(client.ok()) << client.status();
    const auto rows = client->AskAll("/list");
    ASSERT_FALSE(rows.ok()) << bad.reply;
    EXPECT_THAT(Message(rows.status()), HasSubstr(bad.says));
    EXPECT_THAT(Message(rows.status()), HasSubstr("'x'"));
  }
}

TEST(ClientTest, RefusesOtherServices) {
  for (const char* greeting : {"hello", "{}", R"({"max_output_len":"x"})"}) {
    FakeInstance instance;
    instance.Serve(greeting, [](const std::string&) { return ""; });
    const auto client = Client::ConnectTo(instance.path(), "x");
    ASSERT_FALSE(client.ok());
    EXPECT_THAT(Message(client.status()), HasSubstr("telemetry protocol"));
  }
}

TEST(ClientTest, TellsAStaleSocketFromALiveOne) {
  FakeInstance instance;
  instance.Stop();
  ASSERT_TRUE(std::filesystem::exists(instance.path()));
  const auto client = Client::ConnectTo(instance.path(), "gone");
  ASSERT_EQ(client.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(client.status()),
              HasSubstr("no instance named 'gone' is running"));
}

TEST(ClientTest, RefusesNamesThatAreNone) {
  EXPECT_FALSE(Client::Connect("../../tmp/x").ok());
  EXPECT_FALSE(Client::Connect("").ok());
  EXPECT_FALSE(Client::ConnectTo(std::string(200, 'x'), "x").ok());
}

}  // namespace
}  // namespace corelane::inspect
