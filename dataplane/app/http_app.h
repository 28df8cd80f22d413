// An HTTP/1.1 server: GET and HEAD of what `Content` holds.
//
// A request that arrives whole is parsed where it lies in the packet, and its
// answer queued at once: a connection that does nothing else has no state here.
// Only what is in pieces takes a session (http_session.h).
#ifndef CORELANE_DATAPLANE_APP_HTTP_APP_H_
#define CORELANE_DATAPLANE_APP_HTTP_APP_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dataplane/api/application.h"
#include "dataplane/app/content.h"
#include "dataplane/app/http_memo.h"
#include "dataplane/app/http_session.h"
#include "dataplane/flow/slab.h"
#include "proto/base/time.h"
#include "proto/http/body.h"
#include "proto/http/date.h"
#include "proto/http/request.h"
#include "proto/http/response.h"

namespace corelane::dataplane {

struct HttpConfig {
  http::HeadLimits head;
  http::BodyLimits body{.max_body = 64u << 20};
  Duration idle_timeout = 60s;  // without a request
  Duration head_timeout = 10s;  // for a whole head, from its first byte
  // A body has to bring `body_progress` bytes in each `body_timeout`, and a
  // reply's reader has to acknowledge something in each `write_timeout`.
  Duration body_timeout = 20s;
  uint32_t body_progress = 1024;
  Duration write_timeout = 30s;
  // How long, and how much, we go on reading after the last reply: a reset for
  // what is still on its way could destroy that reply in the peer's hands.
  Duration linger_timeout = 2s;
  uint32_t linger_bytes = 64 * 1024;
  uint32_t max_requests = 1u << 20;  // per connection
  uint32_t max_sessions = 65536;
  // Of sessions, those that may hold an unfinished head, or an unsent one.
  uint32_t max_texts = 4096;
};

struct HttpCounters {
  uint64_t connections = 0;
  uint64_t requests = 0;  // whose head was complete
  uint64_t ok = 0;        // 200
  uint64_t not_modified = 0;
  uint64_t redirects = 0;
  uint64_t client_errors = 0;  // 4xx, timeouts among them
  uint64_t server_errors = 0;  // 5xx
  uint64_t timeouts = 0;       // connections that were too slow, or idle
  uint64_t exhausted = 0;      // connections for which no session was left
};

class HttpApp final : public Application {
 public:
  // `content` outlives the application.
  HttpApp(const HttpConfig& config, const Content* content);

  // What the time of day is at Time zero of the loop's clock; for the Date
  // field. May be set again when the host's clock was.
  void SetWallClock(int64_t unix_nanoseconds_at_zero) {
    wall_offset_ = Duration(unix_nanoseconds_at_zero);
    date_second_ = -1;
  }

  void OnConnections(std::span<ReadyConnection> ready, Time now) override;
  // Between two requests, when app_data is all that there is to it.
  bool OnLeave(Connection connection,
               std::vector<uint8_t>& /*luggage*/) override {
    return Find(connection) == nullptr;
  }

  const HttpCounters& counters() const { return counters_; }
  uint32_t sessions_in_use() const { return sessions_.in_use(); }

 private:
  using Phase = HttpSession::Phase;

  // http_app.cc: what happens. The functions that return bool tell whether
  // there may be more to do for the connection; after false it may be gone.
  bool OnTimer(Connection connection);
  void Run(Connection connection);
  bool Step(Connection connection);
  bool ReadRequest(Connection connection);
  bool GatherHead(Connection connection);
  bool HeadComplete(Connection connection, const http::RequestHead& head,
                    uint32_t consume, ByteView front);
  bool ReadBody(Connection connection);
  bool Linger(Connection connection);
  bool Leave(Connection connection);

  // http_reply.cc: what is answered.
  HttpReply Decide(const http::RequestHead& head);
  const Resource* Lookup(const http::RequestHead& head, HttpReply& reply);
  bool Answer(Connection connection, const HttpReply& reply);
  size_t WriteAnswer(const HttpReply& reply);
  bool Refuse(Connection connection, int status);
  bool Transmit(Connection connection, ByteView text, ByteView body,
                bool keep_alive);
  bool Park(Connection connection, ByteView text, ByteView body);
  bool Continue(Connection connection);
  bool Flush(Connection connection);
  bool ReplyQueued(Connection connection, bool keep_alive);
  bool NoSessionLeft(Connection connection);
  void Count(int status);
  std::string_view Date();

  // The session of a connection, if it has one.
  HttpSession* Find(Connection connection);
  // Makes one, unless there is one already. nullptr: none left.
  HttpSession* NeedSession(Connection connection);
  bool NeedText(HttpSession& session);
  void DropText(HttpSession& session);
  // The number of requests stays in the handle.
  void DropSession(Connection connection);
  // Counts one more and returns how many there were.
  uint32_t AddRequest(Connection connection);
  void CountRequest(Connection connection, HttpReply& reply);
  void BeginLinger(Connection connection);

  const HttpConfig config_;
  const Content& content_;
  HttpCounters counters_;
  Slab<HttpSession> sessions_;
  TextPool texts_;
  HttpMemo memo_;
  std::vector<char> path_;    // a normalised path
  std::vector<uint8_t> out_;  // a response's head
  Time now_ = kTimeZero;
  Duration wall_offset_{0};
  int64_t date_second_ = -1;
  http::HttpDate date_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_APP_HTTP_APP_H_
