#include "dataplane/app/metrics_app.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "proto/http/date.h"
#include "proto/http/request.h"
#include "proto/http/response.h"

namespace corelane::dataplane {
namespace {

constexpr Duration kPatience = 10s;

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

void MetricsApp::OnConnections(std::span<ReadyConnection> ready, Time /*now*/) {
  for (const ReadyConnection& r : ready) Run(r.connection, r.events);
}

void MetricsApp::Run(Connection connection, uint8_t events) {
  const auto reply = replies_.find(connection.index());
  if ((events & kGone) != 0) {
    if (reply != replies_.end()) replies_.erase(reply);
    return;
  }
  if ((events & kTimer) != 0) {
    if (reply != replies_.end()) replies_.erase(reply);
    connection.Abort();
    return;
  }
  if ((events & kOpened) != 0) connection.SetTimer(kPatience);
  if (reply != replies_.end()) {
    // What else the client sends is not wanted.
    connection.Consume(connection.readable());
    Continue(connection, reply->second);
  } else {
    Read(connection);
  }
}

void MetricsApp::Read(Connection connection) {
  const uint32_t size = connection.Peek(0, head_);
  const std::string_view bytes(reinterpret_cast<const char*>(head_.data()),
                               size);
  http::HeadLimits limits;
  limits.max_head = static_cast<uint32_t>(head_.size());
  limits.max_target = 1024;
  http::RequestHead head;
  const http::ParseResult result = http::ParseRequestHead(bytes, limits, head);
  if (result.status == http::ParseStatus::kNeedMore) {
    if (connection.at_end() || size == head_.size()) connection.Abort();
    return;
  }
  if (result.status == http::ParseStatus::kBad) {
    Refuse(connection, result.http_status);
    return;
  }
  const bool head_only = head.method == http::Method::kHead;
  if (head.method != http::Method::kGet && !head_only) {
    Refuse(connection, 405);
  } else if (head.path != "/metrics") {
    Refuse(connection, 404);
  } else if (page_.Latest() == nullptr || replies_.size() >= kMostReplies) {
    Refuse(connection, 503);
  } else {
    Begin(connection, Answer(head_only));
  }
}

std::string MetricsApp::Answer(bool head_only) const {
  const std::shared_ptr<const MetricsPage::Text> page = page_.Latest();
  const http::HttpDate date = http::FormatHttpDate(page->unix_seconds);
  return absl::StrCat(
      "HTTP/1.1 200 OK\r\n"
      "Date: ",
      View(date.view()),
      "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
      "Content-Length: ",
      page->body.size(),
      "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
      head_only ? "" : page->body);
}

void MetricsApp::Refuse(Connection connection, int status) {
  const ByteView text = http::ErrorResponse(status);
  Begin(connection,
        std::string(reinterpret_cast<const char*>(text.data()), text.size()));
}

void MetricsApp::Begin(Connection connection, std::string text) {
  connection.Consume(connection.readable());
  const auto [it, fresh] =
      replies_.insert_or_assign(connection.index(), Reply{std::move(text), 0});
  Continue(connection, it->second);
}

void MetricsApp::Continue(Connection connection, Reply& reply) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(reply.text.data());
  const uint32_t taken =
      connection.Send({bytes + reply.sent, reply.text.size() - reply.sent});
  reply.sent += taken;
  if (reply.sent < reply.text.size()) {
    if (taken > 0) connection.SetTimer(kPatience);
    return;
  }
  replies_.erase(connection.index());
  connection.Close();
}

}  // namespace corelane::dataplane
