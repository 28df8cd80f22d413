// Bytes to and from TCP connections.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "dataplane/socket/socket_stack.h"

namespace corelane::socket {
namespace {

using Phase = TcpSocket::Phase;

// How long TCP_CORK and MSG_MORE may hold back less than a segment: as in
// Linux a retransmission timeout, of which this is the least.
constexpr Duration kCorkTime = 200ms;

Duration CorkTime(const TcpSocket& s) {
  return std::max<Duration>(
      kCorkTime,
      std::chrono::microseconds(s.connection.control_block().rto_us));
}

int TakeError(SocketFile& s) { return std::exchange(s.error, 0); }

size_t TotalOf(std::span<const iovec> vectors) {
  size_t total = 0;
  for (const iovec& v : vectors) total += v.iov_len;
  return total;
}

// The part of the vectors' `index`-th that lies behind the first `skip` bytes.
MutableByteView PartOf(const iovec& v, size_t skip) {
  return {static_cast<uint8_t*>(v.iov_base) + skip, v.iov_len - skip};
}

// Calls `f` with each run of bytes behind the first `done`, until it takes less
// than it is given. Returns how many were taken in all, `done` included.
template <typename F>
size_t ForEachPart(std::span<const iovec> vectors, size_t done, F f) {
  size_t skip = done;
  for (const iovec& v : vectors) {
    if (skip >= v.iov_len) {
      skip -= v.iov_len;
      continue;
    }
    const MutableByteView part = PartOf(v, skip);
    skip = 0;
    const size_t n = f(part);
    done += n;
    if (n < part.size()) break;
  }
  return done;
}

// Whether no more bytes will come.
bool ReceiveEnded(const TcpSocket& s) {
  return s.peer_closed || s.read_shut || s.error != 0 || !s.attached();
}

bool SendEnded(const TcpSocket& s) {
  return s.phase != Phase::kOpen || s.error != 0 || s.write_shut ||
         !tcp::MaySend(s.connection.state());
}

// Room for all of the rest, or for so much that it is worth going on. Where the
// buffer is a mark, the room says nothing.
bool HasRoom(const TcpSocket& s, size_t rest, bool in_pieces) {
  return (!in_pieces && s.UnsentRoom() > 0 &&
          s.connection.send_space() >= rest) ||
         (SocketStack::Readiness(s) & EPOLLOUT) != 0;
}

}  // namespace

// Copies from what has been received, from `peeked` on if it is only a look.
size_t SocketStack::TakeBytes(TcpSocket& s, MutableByteView to, int flags,
                              size_t peeked) {
  const size_t from = (flags & MSG_PEEK) != 0 ? peeked : 0;
  const size_t n =
      std::min(to.size(), s.Readable() - std::min(from, s.Readable()));
  if (n == 0) return 0;
  // On a stream MSG_TRUNC means: throw away instead of copying.
  const bool copy = (flags & MSG_TRUNC) == 0;
  if (s.attached()) {
    if (copy) s.connection.Peek(static_cast<uint32_t>(from), to.first(n));
    if ((flags & MSG_PEEK) == 0) {
      s.connection.Consume(static_cast<uint32_t>(n));
    }
    return n;
  }
  if (copy) {
    std::memcpy(to.data(), s.leftover.data() + s.leftover_begin + from, n);
  }
  if ((flags & MSG_PEEK) == 0) s.leftover_begin += n;
  return n;
}

size_t SocketStack::TakeVectors(TcpSocket& s, std::span<const iovec> to,
                                size_t done, int flags) {
  size_t peeked = done;
  return ForEachPart(to, done, [&](MutableByteView part) {
    const size_t n = TakeBytes(s, part, flags, peeked);
    peeked += n;
    return n;
  });
}

ssize_t SocketStack::ReceiveTcp(const TcpPointer& s, std::span<const iovec> to,
                                int flags) {
  if ((flags & MSG_OOB) != 0) return -EINVAL;  // there is none
  if ((flags & MSG_ERRQUEUE) != 0) return -EAGAIN;
  if (s->phase == Phase::kListening) return -ENOTCONN;
  if (s->phase == Phase::kIdle) {
    const int error = TakeError(*s);
    return error == 0 ? -ENOTCONN : -error;
  }
  const size_t total = TotalOf(to);
  const size_t target = (flags & MSG_WAITALL) != 0
                            ? total
                            : std::min<size_t>(s->receive_low, total);
  const Time deadline = Deadline(*s, flags, s->receive_timeout);
  size_t done = 0;
  while (true) {
    done = TakeVectors(*s, to, done, flags);
    if (done >= target) break;
    if (ReceiveEnded(*s)) {
      if (done > 0 || s->peer_closed) break;
      if (const int error = TakeError(*s); error != 0) return -error;
      break;
    }
    const size_t seen = (flags & MSG_PEEK) != 0 ? done : 0;
    const int r = Wait(
        *s, deadline, [&] { return s->Readable() > seen || ReceiveEnded(*s); });
    if (r < 0) return done > 0 ? static_cast<ssize_t>(done) : r;
  }
  return static_cast<ssize_t>(done);
}

// Queues bytes; those that do not fill a segment are kept back if `hold`.
// Returns how many were taken.
uint32_t SocketStack::Push(TcpSocket& s, ByteView bytes, bool hold) {
  const size_t mss = std::max<size_t>(s.connection.control_block().mss, 1);
  const size_t all = bytes.size();
  while (!bytes.empty() && (hold || !s.corked.empty())) {
    if (s.corked.empty() && bytes.size() >= mss) {
      const size_t whole = bytes.size() - bytes.size() % mss;
      const uint32_t n = s.connection.Send(bytes.first(whole));
      bytes = bytes.subspan(n);
      if (n < whole) return static_cast<uint32_t>(all - bytes.size());
      continue;
    }
    if (s.corked.empty()) s.connection.SetTimer(CorkTime(s));
    const size_t n =
        std::min(bytes.size(), mss - std::min(mss, s.corked.size()));
    s.corked.insert(s.corked.end(), bytes.begin(),
                    bytes.begin() + static_cast<ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    if (s.corked.size() >= mss && !FlushCorked(s)) break;
  }
  if (!bytes.empty() && s.corked.empty()) {
    bytes = bytes.subspan(s.connection.Send(bytes));
  }
  if (!hold) {
    FlushCorked(s);
  } else if (s.connection.control_block().InFlight() > 0) {
    s.connection.AskWritable();  // to be told of the next acknowledgment
  }
  return static_cast<uint32_t>(all - bytes.size());
}

// Queues what was held back. False if there was no room for all of it.
bool SocketStack::FlushCorked(TcpSocket& s) {
  if (s.corked.empty()) return true;
  const uint32_t n = s.connection.Send(s.corked);
  s.corked.erase(s.corked.begin(), s.corked.begin() + n);
  return s.corked.empty();
}

ssize_t SocketStack::SendTcp(const TcpPointer& s, std::span<const iovec> from,
                             int flags) {
  if ((flags & (MSG_OOB | MSG_FASTOPEN)) != 0) return -EOPNOTSUPP;
  const Time deadline = Deadline(*s, flags, s->send_timeout);
  const int r =
      Wait(*s, deadline, [&] { return s->phase != Phase::kConnecting; });
  if (r < 0) return r;
  const bool hold = s->cork || (flags & MSG_MORE) != 0;
  const size_t total = TotalOf(from);
  size_t done = 0;
  while (true) {
    if (SendEnded(*s)) {
      if (done > 0) break;
      const int error = TakeError(*s);
      return error == 0 ? -EPIPE : -error;
    }
    done = ForEachPart(from, done, [&](MutableByteView part) {
      const size_t room = std::min<size_t>(part.size(), s->UnsentRoom());
      return size_t{Push(*s, part.first(room), hold)};
    });
    if (done == total) break;
    // Memory may be short although the buffer is not full: wait in any case.
    bool waited = false;
    const bool in_pieces = OptionsOf(*s).send_in_pieces;
    const int w = Wait(*s, deadline, [&] {
      const bool ready =
          waited && (SendEnded(*s) || HasRoom(*s, total - done, in_pieces));
      waited = true;
      return ready;
    });
    if (w < 0) {
      if (done == 0) return w;
      break;
    }
  }
  return static_cast<ssize_t>(done);
}

}  // namespace corelane::socket
