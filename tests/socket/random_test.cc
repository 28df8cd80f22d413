// Random exchanges over a bad wire: every byte arrives, in order, once.
#include <poll.h>
#include <sys/epoll.h>

#include <cstdlib>
#include <string>

#include "proto/base/rng.h"
#include "tests/socket/world.h"

namespace corelane::socket {
namespace {

// The bytes of a stream, by offset.
char ByteAt(uint64_t stream, uint64_t offset) {
  return static_cast<char>((offset * 31 + (offset >> 8) * 7 + stream * 101) &
                           0xff);
}

// One end of a connection: writes `total` bytes and reads as many.
struct End {
  SocketStack* stack;
  int fd;
  uint64_t out_stream;
  uint64_t in_stream;
  uint64_t total;
  uint64_t written = 0;
  uint64_t read = 0;
  bool shut = false;
  bool ended = false;

  bool done() const { return shut && ended; }
};

class SocketRandom : public SocketWorld {
 protected:
  explicit SocketRandom() = default;

  void WriteSome(End& e, Rng& rng) {
    if (e.shut) return;
    const uint64_t n =
        std::min<uint64_t>(rng.Between(1, 8000), e.total - e.written);
    std::string text(n, '\0');
    for (uint64_t i = 0; i < n; ++i)
      text[i] = ByteAt(e.out_stream, e.written + i);
    const int flags = MSG_DONTWAIT | (rng.Below(8) == 0 ? MSG_MORE : 0);
    const ssize_t r = WriteText(*e.stack, e.fd, text, flags);
    if (r < 0) {
      ASSERT_EQ(errno, EAGAIN);
      return;
    }
    e.written += static_cast<uint64_t>(r);
    if (e.written == e.total) {
      ASSERT_EQ(e.stack->Shutdown(e.fd, SHUT_WR), 0);
      e.shut = true;
    }
  }

  void ReadSome(End& e, Rng& rng) {
    if (e.ended) return;
    const size_t n = rng.Between(1, 9000);
    if (rng.Below(4) == 0) {
      const std::string look =
          ReadText(*e.stack, e.fd, n, MSG_PEEK | MSG_DONTWAIT);
      if (look == "-EAGAIN") return;
      Check(e, look);
    }
    const std::string text = ReadText(*e.stack, e.fd, n, MSG_DONTWAIT);
    if (text == "-EAGAIN") return;
    if (text.empty()) {
      ASSERT_EQ(e.read, e.total);
      e.ended = true;
      return;
    }
    Check(e, text);
    e.read += text.size();
  }

  static void Check(const End& e, const std::string& text) {
    for (size_t i = 0; i < text.size(); ++i) {
      ASSERT_EQ(text[i], ByteAt(e.in_stream, e.read + i))
          << "at " << e.read + i;
    }
  }
};

TEST_F(SocketRandom, Exchange) {
  uint64_t first = 1;
  uint64_t last = 20;
  if (const char* seed = std::getenv("CORELANE_SEED")) {
    first = last = std::strtoull(seed, nullptr, 0);
  }
  for (uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("CORELANE_SEED=" + std::to_string(seed));
    Rng rng(seed, 0x50c);
    sim::WireConfig wire;
    wire.loss_ppm = rng.Below(3) * 10'000;
    wire.reorder_ppm = rng.Below(3) * 10'000;
    wire.duplicate_ppm = rng.Below(2) * 10'000;
    Build({}, wire, seed);
    listener = Listener(80);
    std::vector<End> ends;
    const uint32_t pairs = rng.Between(1, 4);
    const int set = b().EpollCreate(0);
    for (uint32_t i = 0; i < pairs; ++i) {
      const int from = ConnectTo(80);
      const int to = b().Accept(listener, nullptr, nullptr);
      ASSERT_GE(to, 0) << strerror(errno);
      const uint64_t up = rng.Between(1, 300'000);
      const uint64_t down = rng.Between(1, 300'000);
      ends.push_back({&a(), from, 2 * i, 2 * i + 1, up});
      ends.push_back({&b(), to, 2 * i + 1, 2 * i, down});
      epoll_event event{};
      event.events = EPOLLIN | EPOLLOUT | (rng.Below(2) == 0 ? EPOLLET : 0u);
      event.data.u32 = i;
      ASSERT_EQ(b().EpollCtl(set, EPOLL_CTL_ADD, to, &event), 0);
    }
    // `total` is what it writes; what it reads is its peer's.
    const Time limit = now() + 1h;
    size_t over = 0;
    while (over < ends.size()) {
      ASSERT_LT(now(), limit) << "no progress";
      End& e = ends[rng.Below(static_cast<uint32_t>(ends.size()))];
      End& peer = ends[static_cast<size_t>(&e - ends.data()) ^ 1];
      ASSERT_NO_FATAL_FAILURE(WriteSome(e, rng));
      const uint64_t own = e.total;
      e.total = peer.total;  // for the check of the end
      ASSERT_NO_FATAL_FAILURE(ReadSome(e, rng));
      e.total = own;
      if (rng.Below(3) == 0) {
        epoll_event events[8];
        ASSERT_GE(
            b().EpollWait(set, events, 8, static_cast<int>(rng.Below(30))), 0);
      } else if (rng.Below(3) == 0) {
        Pass(Duration(rng.Below(20'000'000)));
      }
      over = 0;
      for (const End& each : ends) over += each.done() ? 1 : 0;
    }
    for (End& e : ends) EXPECT_EQ(e.stack->Close(e.fd), 0);
    Pass(200s);
  }
}

}  // namespace
}  // namespace corelane::socket
