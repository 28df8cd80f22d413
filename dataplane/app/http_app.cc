#include "dataplane/app/http_app.h"

#include <algorithm>
#include <cstring>

namespace corelane::dataplane {
namespace {

// What a connection's app_data says: by its upper two bits, that it is between
// requests (how many there were), has a session (which), or lingers (how many
// bytes it threw away).
enum Tag : uint32_t {
  kIdleTag = 0,
  kSessionTag = 1u << 30,
  kLingerTag = 2u << 30,
};
constexpr uint32_t kTagMask = 3u << 30;
constexpr uint32_t kValueMask = ~kTagMask;

Tag TagOf(Connection connection) {
  return static_cast<Tag>(connection.app_data() & kTagMask);
}

uint32_t ValueOf(Connection connection) {
  return connection.app_data() & kValueMask;
}

std::string_view TextOf(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

HttpApp::HttpApp(const HttpConfig& config, const Content* content)
    : config_(config),
      content_(*content),
      sessions_(config.max_sessions),
      // Each has to hold a head, be it a request's or (with a small body) a
      // response's.
      texts_(config.max_texts, std::max<uint32_t>(config.head.max_head, 4096)),
      path_(config.head.max_target),
      out_(kMaxResponseHead + kInlineBody) {}

void HttpApp::OnConnections(std::span<ReadyConnection> ready, Time now) {
  now_ = now;
  for (ReadyConnection& r : ready) {
    if ((r.events & kGone) != 0) {
      DropSession(r.connection);
      continue;
    }
    if ((r.events & kOpened) != 0) {
      ++counters_.connections;
      // Answers leave whole; Nagle's algorithm could only hold back their ends.
      r.connection.SetNoDelay(true);
      r.connection.SetTimer(config_.idle_timeout);
    }
    if ((r.events & kTimer) == 0 || OnTimer(r.connection)) Run(r.connection);
  }
}

bool HttpApp::OnTimer(Connection connection) {
  HttpSession* session = Find(connection);
  if (session == nullptr) {
    const bool idle = TagOf(connection) == kIdleTag;
    // A request that came in the last moment.
    if (idle && connection.readable() > 0) return true;
    if (idle) ++counters_.timeouts;
    connection.Consume(connection.readable());
    return Leave(connection);
  }
  const bool sending =
      session->phase == Phase::kReply ||
      (session->phase == Phase::kBody && session->text != tcp::kNoIndex);
  if (sending) {
    const SeqNum acknowledged = connection.control_block().snd_una;
    if (acknowledged != session->acknowledged) {
      session->acknowledged = acknowledged;
      connection.SetTimer(config_.write_timeout);
      return true;
    }
    ++counters_.timeouts;
    DropSession(connection);
    connection.Abort();
    return false;
  }
  if (session->phase == Phase::kBody &&
      session->body_bytes - session->body_checked >= config_.body_progress) {
    session->body_checked = session->body_bytes;
    connection.SetTimer(config_.body_timeout);
    return true;
  }
  ++counters_.timeouts;
  return Refuse(connection, 408);
}

// Bounded by what TCP has received, and by the send buffer.
void HttpApp::Run(Connection connection) {
  while (Step(connection)) {
  }
}

bool HttpApp::Step(Connection connection) {
  switch (TagOf(connection)) {
    case kIdleTag:
      return ReadRequest(connection);
    case kLingerTag:
      return Linger(connection);
    case kSessionTag:
      break;
  }
  switch (Find(connection)->phase) {
    case Phase::kHead:
      return GatherHead(connection);
    case Phase::kBody:
      return ReadBody(connection);
    case Phase::kReply:
      return Flush(connection);
  }
  return false;
}

// The peer's stream has ended, or our patience.
bool HttpApp::Leave(Connection connection) {
  DropSession(connection);
  connection.Close();
  return false;
}

// The ordinary case: the whole head lies in one packet.
bool HttpApp::ReadRequest(Connection connection) {
  const ByteView front = connection.Front();
  if (front.empty()) {
    return connection.at_end() ? Leave(connection) : false;
  }
  if (const HttpMemo::Entry* known = memo_.Find(front)) [[likely]] {
    HttpReply reply = known->reply;
    CountRequest(connection, reply);
    connection.Consume(known->size);
    return Answer(connection, reply);
  }
  http::RequestHead head;
  const http::ParseResult result =
      http::ParseRequestHead(TextOf(front), config_.head, head);
  switch (result.status) {
    case http::ParseStatus::kComplete:
      return HeadComplete(connection, head,
                          static_cast<uint32_t>(result.consumed), front);
    case http::ParseStatus::kBad:
      return Refuse(connection, result.http_status);
    case http::ParseStatus::kNeedMore:
      break;
  }
  HttpSession* session = NeedSession(connection);
  if (session == nullptr || !NeedText(*session)) {
    return NoSessionLeft(connection);
  }
  session->phase = Phase::kHead;
  connection.SetTimer(config_.head_timeout);
  return true;
}

// Copies what there is of a head behind what there was, and tries again.
bool HttpApp::GatherHead(Connection connection) {
  HttpSession& session = *Find(connection);
  const ByteView front = connection.Front();
  if (front.empty()) {
    return connection.at_end() ? Leave(connection) : false;
  }
  const uint32_t before = session.text_size;
  const auto added = static_cast<uint32_t>(
      std::min<size_t>(front.size(), texts_.size() - before));
  uint8_t* text = texts_[session.text];
  std::memcpy(text + before, front.data(), added);
  session.text_size += added;
  http::RequestHead head;
  const http::ParseResult result = http::ResumeRequestHead(
      TextOf({text, session.text_size}), config_.head, session.progress, head);
  switch (result.status) {
    case http::ParseStatus::kComplete:
      return HeadComplete(connection, head,
                          static_cast<uint32_t>(result.consumed) - before, {});
    case http::ParseStatus::kBad:
      return Refuse(connection, result.http_status);
    case http::ParseStatus::kNeedMore:
      break;
  }
  // The parser refuses a head of max_head bytes, so that one that needs more
  // has left room for it.
  connection.Consume(added);
  return true;
}

// `head` points into the packet or the session's text; `consume` bytes of what
// is readable belong to it, and `front` begins with it unless that is empty.
bool HttpApp::HeadComplete(Connection connection, const http::RequestHead& head,
                           uint32_t consume, ByteView front) {
  HttpReply reply = Decide(head);
  const bool expects_continue = head.expect_continue;
  http::BodyReader reader(head.body, config_.body);
  const http::BodyResult begin = reader.Feed({});
  if (begin.state == http::BodyState::kDone && !front.empty()) {
    memo_.Note(front, consume, reply);
  }
  CountRequest(connection, reply);
  connection.Consume(consume);
  switch (begin.state) {
    case http::BodyState::kDone:
      DropSession(connection);
      return Answer(connection, reply);
    case http::BodyState::kBad:
      return Refuse(connection, begin.http_status);
    case http::BodyState::kNeedMore:
      break;
  }
  HttpSession* session = NeedSession(connection);
  if (session == nullptr) return NoSessionLeft(connection);
  DropText(*session);
  session->phase = Phase::kBody;
  session->reader = reader;
  session->reply = reply;
  connection.SetTimer(config_.body_timeout);
  // A client that sends the body all the same need not be told.
  if (!expects_continue || connection.readable() > 0) return true;
  return Continue(connection);
}

bool HttpApp::ReadBody(Connection connection) {
  HttpSession& session = *Find(connection);
  if (session.text != tcp::kNoIndex) return Flush(connection);
  const ByteView front = connection.Front();
  if (front.empty()) {
    return connection.at_end() ? Leave(connection) : false;
  }
  const http::BodyResult result = session.reader.Feed(front);
  session.body_bytes += result.consumed;
  connection.Consume(static_cast<uint32_t>(result.consumed));
  switch (result.state) {
    case http::BodyState::kNeedMore:
      return true;
    case http::BodyState::kBad:
      return Refuse(connection, result.http_status);
    case http::BodyState::kDone:
      break;
  }
  const HttpReply reply = session.reply;
  DropSession(connection);
  return Answer(connection, reply);
}

void HttpApp::BeginLinger(Connection connection) {
  DropSession(connection);
  connection.set_app_data(kLingerTag);
  connection.ShutdownSend();
  connection.SetTimer(config_.linger_timeout);
}

bool HttpApp::Linger(Connection connection) {
  const uint32_t more = connection.readable();
  const uint32_t discarded = ValueOf(connection) + more;
  connection.Consume(more);
  if (connection.at_end() || discarded > config_.linger_bytes) {
    return Leave(connection);
  }
  connection.set_app_data(kLingerTag | discarded);
  return false;
}

// ---------------------------------------------------------------- sessions

HttpSession* HttpApp::Find(Connection connection) {
  if (TagOf(connection) != kSessionTag) return nullptr;
  return &sessions_[ValueOf(connection)];
}

HttpSession* HttpApp::NeedSession(Connection connection) {
  if (HttpSession* session = Find(connection)) return session;
  const uint32_t index = sessions_.Allocate();
  if (index == tcp::kNoIndex) return nullptr;
  sessions_[index].requests = ValueOf(connection);
  connection.set_app_data(kSessionTag | index);
  return &sessions_[index];
}

void HttpApp::DropSession(Connection connection) {
  HttpSession* session = Find(connection);
  if (session == nullptr) return;
  DropText(*session);
  sessions_.Free(ValueOf(connection));
  connection.set_app_data(kIdleTag | session->requests);
}

bool HttpApp::NeedText(HttpSession& session) {
  if (session.text == tcp::kNoIndex) session.text = texts_.Allocate();
  session.text_size = session.text_sent = 0;
  return session.text != tcp::kNoIndex;
}

void HttpApp::DropText(HttpSession& session) {
  if (session.text == tcp::kNoIndex) return;
  texts_.Free(session.text);
  session.text = tcp::kNoIndex;
}

// A connection's last request says so.
void HttpApp::CountRequest(Connection connection, HttpReply& reply) {
  const uint32_t requests = AddRequest(connection);
  if (requests >= config_.max_requests) reply.keep_alive = false;
}

uint32_t HttpApp::AddRequest(Connection connection) {
  ++counters_.requests;
  if (HttpSession* session = Find(connection)) return ++session->requests;
  const uint32_t requests =
      std::min(ValueOf(connection) + 1, static_cast<uint32_t>(kValueMask));
  connection.set_app_data(kIdleTag | requests);
  return requests;
}

}  // namespace corelane::dataplane
