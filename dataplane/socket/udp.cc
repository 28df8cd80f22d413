// UDP sockets.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "dataplane/socket/socket_stack.h"
#include "proto/icmp/message.h"

namespace corelane::socket {
namespace {

// What a waiting datagram costs besides its bytes: else empty ones are free.
constexpr uint32_t kDatagramOverhead = 64;
constexpr size_t kMaxDatagram = 65507;

uint32_t CostOf(size_t bytes) {
  return static_cast<uint32_t>(bytes) + kDatagramOverhead;
}

}  // namespace

int SocketStack::BindUdp(DatagramSocket& s, const Endpoint& to) {
  if (s.bound) return -EINVAL;
  const auto socket = pipeline_.udp().Bind(to.address, to.port, application_);
  if (!socket.ok()) return -EADDRINUSE;
  s.socket = *socket;
  s.socket.SetIpOptions(s.tos, s.ttl);
  s.bound = true;
  s.local = {to.address, pipeline_.udp().sockets()[s.socket.index()].port};
  datagram_sockets_[s.socket.index()] = &s;
  return 0;
}

int SocketStack::ConnectUdp(DatagramSocket& s, const Endpoint& to) {
  dataplane::Path path;
  const ipv4::Flow flow{to.address, s.local.address, s.local.port, to.port,
                        ipv4::kUdp};
  if (to.address.IsAny() || !pipeline_.ip().FindPath(flow, path)) {
    return -ENETUNREACH;
  }
  if (!s.bound) {
    if (const int r = BindUdp(s, Endpoint()); r < 0) return r;
  }
  s.socket.Connect(to);
  s.connected = true;
  s.remote = to;
  if (s.local.address.IsAny()) s.local.address = path.source;
  return 0;
}

void SocketStack::OnDatagrams(std::span<dataplane::Datagram> datagrams,
                              Time /*now*/) {
  for (const dataplane::Datagram& d : datagrams) {
    const auto it = datagram_sockets_.find(d.socket.index());
    if (it == datagram_sockets_.end()) continue;
    DatagramSocket& s = *it->second;
    const uint32_t cost = CostOf(d.payload.size());
    if (s.read_shut || s.waiting_bytes + cost > s.receive_limit) continue;
    s.waiting_bytes += cost;
    s.waiting.push_back({d.remote, {d.payload.begin(), d.payload.end()}});
    Wake(s, EPOLLIN | EPOLLRDNORM);
  }
}

// Only a connected socket hears of them: another's caller would not know which
// of its datagrams is meant.
void SocketStack::OnDatagramError(const dataplane::DatagramError& error) {
  const auto it = datagram_sockets_.find(error.socket.index());
  if (it == datagram_sockets_.end() || !it->second->connected) return;
  DatagramSocket& s = *it->second;
  if (error.icmp_type != icmp::kUnreachable) return;
  switch (error.icmp_code) {
    case icmp::kPortUnreachable:
      s.error = ECONNREFUSED;
      break;
    case icmp::kFragmentationNeeded:
      s.error = EMSGSIZE;
      break;
    default:
      return;  // soft errors
  }
  Wake(s, ~0u);
}

ssize_t SocketStack::ReceiveUdp(const std::shared_ptr<DatagramSocket>& s,
                                std::span<const iovec> to, int flags,
                                Origin& origin) {
  if ((flags & MSG_OOB) != 0) return -EOPNOTSUPP;
  if ((flags & MSG_ERRQUEUE) != 0) return -EAGAIN;
  const int r = Wait(*s, Deadline(*s, flags, s->receive_timeout), [&] {
    return !s->waiting.empty() || s->error != 0 || s->read_shut;
  });
  if (r < 0) return r;
  if (s->error != 0) return -std::exchange(s->error, 0);
  if (s->waiting.empty()) return 0;
  const DatagramSocket::Received& d = s->waiting.front();
  const size_t length = d.bytes.size();
  size_t done = 0;
  for (const iovec& v : to) {
    const size_t n = std::min(v.iov_len, length - done);
    if (n == 0) continue;
    std::memcpy(v.iov_base, d.bytes.data() + done, n);
    done += n;
  }
  origin.from = d.from;
  origin.known = true;
  if (done < length) origin.flags |= MSG_TRUNC;
  if ((flags & MSG_PEEK) == 0) {
    s->waiting_bytes -= CostOf(length);
    s->waiting.pop_front();
  }
  return static_cast<ssize_t>((flags & MSG_TRUNC) != 0 ? length : done);
}

ssize_t SocketStack::SendUdp(DatagramSocket& s, std::span<const iovec> from,
                             int flags, const Endpoint* to) {
  if ((flags & MSG_OOB) != 0) return -EOPNOTSUPP;
  if (s.error != 0) return -std::exchange(s.error, 0);
  if (s.write_shut) return -EPIPE;
  if (to == nullptr && !s.connected) return -EDESTADDRREQ;
  const Endpoint target = to != nullptr ? *to : s.remote;
  if (target.port == 0) return -EINVAL;
  if (!target.address.IsUnicastHost()) return -ENETUNREACH;
  if (!s.bound) {
    if (const int r = BindUdp(s, Endpoint()); r < 0) return r;
  }
  if (s.corked.empty()) s.corked_to = target;
  const size_t before = s.corked.size();
  size_t length = before;
  for (const iovec& v : from) length += v.iov_len;
  if (length > kMaxDatagram) return -EMSGSIZE;
  for (const iovec& v : from) {
    const auto* bytes = static_cast<const uint8_t*>(v.iov_base);
    s.corked.insert(s.corked.end(), bytes, bytes + v.iov_len);
  }
  const auto taken = static_cast<ssize_t>(length - before);
  if ((flags & MSG_MORE) != 0) return taken;
  const std::vector<uint8_t> datagram = std::exchange(s.corked, {});
  const absl::Status status = s.socket.SendTo(s.corked_to, datagram);
  if (absl::IsUnavailable(status)) return -ENETUNREACH;
  return status.ok() ? taken : -ENOBUFS;
}

void SocketStack::CloseUdp(DatagramSocket& s) {
  if (!s.bound) return;
  datagram_sockets_.erase(s.socket.index());
  s.socket.Close();
  s.bound = false;
}

}  // namespace corelane::socket
