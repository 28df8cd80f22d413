// What the stack tells of TCP connections.
#include <algorithm>
#include <cerrno>

#include "dataplane/socket/socket_stack.h"

namespace corelane::socket {
namespace {

using Phase = TcpSocket::Phase;
using dataplane::ReadyConnection;

int ErrorFor(tcp::Error error, const TcpSocket& s) {
  switch (error) {
    case tcp::Error::kNone:
    case tcp::Error::kAborted:
      return ECONNABORTED;
    case tcp::Error::kRefused:
      return ECONNREFUSED;
    case tcp::Error::kReset:
      if (s.phase == Phase::kConnecting) return ECONNREFUSED;
      // The peer had closed already: it only refuses what we write.
      return s.peer_closed ? EPIPE : ECONNRESET;
    case tcp::Error::kTimedOut:
      return ETIMEDOUT;
    case tcp::Error::kUnreachable:
      return EHOSTUNREACH;
  }
  return ECONNABORTED;
}

}  // namespace

void SocketStack::OnConnections(std::span<ReadyConnection> ready,
                                Time /*now*/) {
  for (ReadyConnection& r : ready) {
    const auto file = ByHandle(r.connection.app_data());
    if (file == nullptr) {
      // Its listener was closed before we heard of it.
      if ((r.events & dataplane::kGone) == 0) r.connection.Abort();
      continue;
    }
    const auto s = std::static_pointer_cast<TcpSocket>(file);
    if (s->phase == Phase::kListening) {
      OnChild(*s, r);
    } else {
      OnEvents(s, r.events);
    }
  }
}

// A connection that a listener's peer has made.
void SocketStack::OnChild(TcpSocket& listener, ReadyConnection& r) {
  const auto child = std::make_shared<TcpSocket>();
  if (!Adopt(child)) {
    tcp().TakeAccepted(listener.listener);
    if ((r.events & dataplane::kGone) == 0) r.connection.Abort();
    return;
  }
  const tcp::FlowKey& key = r.connection.key();
  child->family = listener.family;
  child->local = {key.local(), key.local_port};
  child->remote = {key.remote(), key.remote_port};
  child->profile = r.connection.control_block().profile;
  tcp().HoldProfile(child->profile);
  child->nodelay = listener.nodelay;
  child->cork = listener.cork;
  child->linger = listener.linger;
  child->linger_time = listener.linger_time;
  child->receive_low = listener.receive_low;
  child->notsent_low = listener.notsent_low;
  child->receive_timeout = listener.receive_timeout;
  child->send_timeout = listener.send_timeout;
  child->reuse_address = listener.reuse_address;
  child->phase = Phase::kOpen;
  child->heard_at = now();
  child->connection = r.connection;
  child->connection.set_app_data(child->handle);
  child->parent = listener.handle;
  listener.deferred.push_back(child);
  if (listener.defer_accept == Duration()) {
    OfferChild(child);
  } else {
    child->connection.SetTimer(listener.defer_accept);
  }
  OnEvents(child, r.events & ~dataplane::kOpened);
}

// Puts a connection into the accept queue.
void SocketStack::OfferChild(const TcpPointer& child) {
  const auto file = ByHandle(child->parent);
  child->parent = 0;
  if (file == nullptr) return;
  auto& listener = static_cast<TcpSocket&>(*file);
  std::erase(listener.deferred, child);
  listener.accept_queue.push_back(child);
  Wake(listener, EPOLLIN | EPOLLRDNORM);
}

void SocketStack::OnEvents(const TcpPointer& s, uint8_t events) {
  uint32_t wake = 0;
  if ((events & dataplane::kOpened) != 0 && s->phase == Phase::kConnecting) {
    s->phase = Phase::kOpen;
    wake = ~0u;
  }
  if ((events & (dataplane::kOpened | dataplane::kReadable)) != 0) {
    s->heard_at = now();
  }
  if ((events & dataplane::kReadable) != 0) wake |= EPOLLIN | EPOLLRDNORM;
  if ((events & dataplane::kPeerClosed) != 0) {
    s->peer_closed = true;
    wake = ~0u;
  }
  if (s->parent != 0 && events != 0 && (events & dataplane::kGone) == 0) {
    OfferChild(s);  // data, the end of it, or the end of the wait
  }
  if ((events & (dataplane::kTimer | dataplane::kWritable)) != 0 &&
      s->phase == Phase::kOpen && (events & dataplane::kGone) == 0) {
    wake |= EPOLLOUT | EPOLLWRNORM;
    OnSendChance(*s, (events & dataplane::kTimer) != 0);
  }
  if ((events & dataplane::kGone) != 0) {
    wake = ~0u;
    OnGone(*s);
  }
  if (wake != 0) Wake(*s, wake);
}

// There is room, something was acknowledged, or the time of holding back is
// over: the moments at which what is held back may go. MSG_MORE holds back no
// longer than until the next of them, TCP_CORK until its time is over.
void SocketStack::OnSendChance(TcpSocket& s, bool time_over) {
  const bool keep = s.cork && !time_over && !s.write_shut &&
                    s.corked.size() < s.connection.control_block().mss;
  if (keep || s.corked.empty()) return;
  if (FlushCorked(s) && s.write_shut) s.connection.ShutdownSend();
}

void SocketStack::OnGone(TcpSocket& s) {
  if (!s.attached()) return;
  s.leftover.resize(s.connection.readable());
  s.leftover_begin = 0;
  s.connection.Peek(0, s.leftover);
  s.error = ErrorFor(s.connection.error(), s);
  s.corked.clear();
  if (s.phase == Phase::kConnecting) {
    s.phase = Phase::kIdle;
    if (!s.bound) s.local = Endpoint();
  } else {
    s.phase = Phase::kBroken;
  }
  s.connection = dataplane::Connection();
  if (s.parent == 0) return;
  // Nobody had been told of it yet.
  const auto file = ByHandle(s.parent);
  const auto self = ByHandle(s.handle);
  if (file != nullptr) {
    auto& listener = static_cast<TcpSocket&>(*file);
    std::erase(listener.deferred, self);
    tcp().TakeAccepted(listener.listener);
  }
  ReleaseOptions(s);
  Forget(s);
}

void SocketStack::ReleaseOptions(TcpSocket& s) {
  tcp().ReleaseProfile(s.profile);
  s.profile = dataplane::Profiles::kDefault;
}

}  // namespace corelane::socket
