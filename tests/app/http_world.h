// A server with HttpApp and a client with scripted connections, each with a
// pipeline of its own, a wire between them, and virtual time.
#ifndef CORELANE_TESTS_APP_HTTP_WORLD_H_
#define CORELANE_TESTS_APP_HTTP_WORLD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/app/content.h"
#include "dataplane/app/http_app.h"
#include "dataplane/app/metrics_app.h"
#include "tests/sim/world.h"

namespace corelane::apptest {

// One of the client's connections. What is in `unsent` goes out as TCP takes
// it; what arrives is appended to `received` while `reading`.
struct Peer {
  dataplane::Connection connection;
  std::string unsent;
  std::string received;
  bool reading = true;
  bool opened = false;
  bool ended = false;  // the server closed in order
  bool reset = false;  // ... or did not
  bool let_go = false;
};

struct Response {
  int status = 0;
  std::map<std::string, std::string> fields;
  std::string body;
};

// Takes one response off the front. Status 0 if none is complete. `has_body` is
// false for the answer to HEAD.
Response TakeResponse(std::string& stream, bool has_body = true);

struct HttpWorldOptions {
  dataplane::HttpConfig http;
  tcp::Config client_tcp;
  tcp::Config server_tcp;
  uint32_t server_packets = 8192;
  Duration delay = 100us;
  // MetricsApp with this page serves port 80 instead of HttpApp.
  const dataplane::MetricsPage* metrics = nullptr;
};

class ClientApp;

class HttpWorld {
 public:
  explicit HttpWorld(const dataplane::Content& content,
                     const HttpWorldOptions& options = {});
  ~HttpWorld();

  // Connects; the handshake is complete when it returns.
  Peer& Open();
  Peer& Connect();  // does not wait
  void Send(Peer& peer, std::string_view bytes);
  void SetReading(Peer& peer, bool reading);
  void ShutdownSend(Peer& peer);
  void Close(Peer& peer);
  void Reset(Peer& peer);
  void Run(Duration time);

  // On a connection of its own: all that came within a second.
  std::string Ask(std::string_view request);
  // Its first response.
  Response Get(std::string_view request, bool has_body = true);

  dataplane::HttpApp& app() { return *app_; }
  sim::Node& server() { return world_.node(1); }
  uint32_t server_connections();
  // Segments with data that the server has sent.
  uint32_t data_segments() const { return data_segments_; }
  bool healthy() const { return world_.failure().empty(); }
  const std::string& failure() const { return world_.failure(); }

 private:
  sim::World world_;
  ClientApp* clients_ = nullptr;
  uint16_t client_number_ = 0;
  dataplane::HttpApp* app_ = nullptr;
  uint32_t data_segments_ = 0;
};

}  // namespace corelane::apptest

#endif  // CORELANE_TESTS_APP_HTTP_WORLD_H_
