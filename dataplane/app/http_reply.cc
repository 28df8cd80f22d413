// What requests are answered with, and the way of an answer into TCP.
#include <algorithm>
#include <cstring>

#include "dataplane/app/http_app.h"
#include "proto/http/etag.h"
#include "proto/http/path.h"

namespace corelane::dataplane {
namespace {

// What one call may be asked to queue; more than any send buffer holds.
constexpr size_t kMaxRun = size_t{1} << 30;

}  // namespace

// Views of the request die with the packet: what counts is decided here.
HttpReply HttpApp::Decide(const http::RequestHead& head) {
  HttpReply reply;
  reply.head_only = head.method == http::Method::kHead;
  reply.minor_version = head.minor_version;
  reply.keep_alive = head.keep_alive;
  if (head.method != http::Method::kGet && !reply.head_only) {
    reply.status = head.method == http::Method::kOther ? 501 : 405;
    // What follows a CONNECT may be meant for somebody else.
    if (head.method == http::Method::kConnect) reply.keep_alive = false;
    return reply;
  }
  reply.resource = Lookup(head, reply);
  if (reply.resource == nullptr) return reply;
  reply.status = static_cast<uint16_t>(reply.resource->status);
  if (!head.if_none_match.empty() && !reply.resource->etag.empty() &&
      http::IfNoneMatchMatches(head.if_none_match, reply.resource->etag)) {
    reply.status = 304;
  }
  return reply;
}

// The place for answers that are not content. nullptr, with the reply's status
// set, if there is nothing at this path.
const Resource* HttpApp::Lookup(const http::RequestHead& head,
                                HttpReply& reply) {
  if (const Resource* everything = content_.everything()) return everything;
  const auto path = http::NormalizePath(head.path, path_);
  if (!path.has_value()) {
    reply.status = 400;
    reply.keep_alive = false;
    return nullptr;
  }
  const Resource* found = content_.Find(*path);
  if (found == nullptr) reply.status = 404;
  return found;
}

bool HttpApp::Answer(Connection connection, const HttpReply& reply) {
  Count(reply.status);
  const Resource* resource = reply.resource;
  ByteView body;
  if (resource != nullptr && !reply.head_only && reply.status != 304 &&
      !resource->is_inline()) {
    body = resource->body;
  }
  if (resource != nullptr && reply.status == resource->status &&
      reply.keep_alive && reply.minor_version != 0) [[likely]] {
    const size_t size =
        reply.head_only ? resource->head_size : resource->answer.size();
    std::memcpy(out_.data(), resource->answer.data(), size);
    const std::string_view date = Date();
    std::memcpy(out_.data() + resource->date_offset, date.data(), date.size());
    return Transmit(connection, {out_.data(), size}, body, true);
  }
  const size_t size = WriteAnswer(reply);
  return Transmit(connection, {out_.data(), size}, body, reply.keep_alive);
}

// The answers that were not made in advance. Returns their size in out_, bodies
// that are not inline left out.
size_t HttpApp::WriteAnswer(const HttpReply& reply) {
  const http::ConnectionField field =
      http::ConnectionFor(reply.minor_version, reply.keep_alive);
  const Resource* resource = reply.resource;
  if (resource == nullptr) {
    return http::WriteErrorResponse(reply.status, Date(), field,
                                    reply.head_only, out_);
  }
  http::ResponseHead head;
  head.status = reply.status;
  head.connection = field;
  head.date = Date();
  head.etag = resource->etag;
  head.extra = resource->extra;
  if (reply.status != 304) {
    head.content_type = resource->media_type;
    head.content_length = resource->body.size();
  }
  const size_t size = http::WriteResponseHead(head, out_);
  if (reply.head_only || reply.status == 304 || !resource->is_inline() ||
      resource->body.empty()) {
    return size;
  }
  std::memcpy(out_.data() + size, resource->body.data(), resource->body.size());
  return size + resource->body.size();
}

// The request cannot be understood or waited for: says so and hangs up.
bool HttpApp::Refuse(Connection connection, int status) {
  DropSession(connection);
  HttpReply reply;
  reply.status = static_cast<uint16_t>(status);
  return Answer(connection, reply);
}

bool HttpApp::NoSessionLeft(Connection connection) {
  ++counters_.exhausted;
  Count(503);
  DropSession(connection);
  const ByteView text = http::ErrorResponse(503);
  if (connection.Send(text) < text.size()) {
    connection.Abort();
    return false;
  }
  BeginLinger(connection);
  return true;
}

bool HttpApp::Transmit(Connection connection, ByteView text, ByteView body,
                       bool keep_alive) {
  text = text.subspan(connection.Send(text));
  if (text.empty() && !body.empty()) {
    body = body.subspan(
        connection.SendStatic(body.first(std::min(body.size(), kMaxRun))));
  }
  if (text.empty() && body.empty()) {
    return ReplyQueued(connection, keep_alive);
  }
  if (!Park(connection, text, body)) return false;
  HttpSession& session = *Find(connection);
  session.phase = Phase::kReply;
  session.reply.keep_alive = keep_alive;
  return false;
}

// Keeps what TCP did not take until there is space again. False if that could
// not be done; the connection is then gone, for what was sent is incomplete.
bool HttpApp::Park(Connection connection, ByteView text, ByteView body) {
  HttpSession* session = NeedSession(connection);
  if (session == nullptr || (!text.empty() && !NeedText(*session))) {
    ++counters_.exhausted;
    DropSession(connection);
    connection.Abort();
    return false;
  }
  if (!text.empty()) {
    std::memcpy(texts_[session->text], text.data(), text.size());
    session->text_size = static_cast<uint32_t>(text.size());
  }
  session->unsent = body;
  session->acknowledged = connection.control_block().snd_una;
  connection.SetTimer(config_.write_timeout);
  return true;
}

// Asks for the body that the client holds back.
bool HttpApp::Continue(Connection connection) {
  ByteView text = http::ContinueResponse();
  text = text.subspan(connection.Send(text));
  return text.empty() || Park(connection, text, {});
}

bool HttpApp::Flush(Connection connection) {
  HttpSession& session = *Find(connection);
  if (session.text != tcp::kNoIndex) {
    const uint8_t* text = texts_[session.text];
    session.text_sent += connection.Send(
        {text + session.text_sent, session.text_size - session.text_sent});
    if (session.text_sent < session.text_size) return false;
    DropText(session);
  }
  if (session.phase == Phase::kBody) {
    connection.SetTimer(config_.body_timeout);
    return true;
  }
  ByteView& rest = session.unsent;
  if (!rest.empty()) {
    rest = rest.subspan(
        connection.SendStatic(rest.first(std::min(rest.size(), kMaxRun))));
    if (!rest.empty()) return false;
  }
  const bool keep_alive = session.reply.keep_alive;
  DropSession(connection);
  return ReplyQueued(connection, keep_alive);
}

bool HttpApp::ReplyQueued(Connection connection, bool keep_alive) {
  if (keep_alive) {
    connection.SetTimer(config_.idle_timeout);
  } else {
    BeginLinger(connection);
  }
  return true;
}

void HttpApp::Count(int status) {
  if (status == 200) {
    ++counters_.ok;
  } else if (status == 304) {
    ++counters_.not_modified;
  } else if (status < 400) {
    ++counters_.redirects;
  } else if (status < 500) {
    ++counters_.client_errors;
  } else {
    ++counters_.server_errors;
  }
}

std::string_view HttpApp::Date() {
  const auto since_epoch = wall_offset_ + now_.time_since_epoch();
  const int64_t second = since_epoch / 1s;
  if (second != date_second_) {
    date_second_ = second;
    date_ = http::FormatHttpDate(second);
  }
  return date_.view();
}

}  // namespace corelane::dataplane
