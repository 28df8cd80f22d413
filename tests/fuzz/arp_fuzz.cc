// ARP packets, the neighbour cache and the defence of an own address on
// arbitrary bytes. The input is a list of steps, one byte each: what to do,
// followed by what that needs.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "proto/arp/announcer.h"
#include "proto/arp/neighbor_cache.h"
#include "proto/arp/packet.h"
#include "proto/base/bytes.h"
#include "proto/base/time.h"

namespace corelane::arp {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

const MacAddress kOwnMac{{0x02, 0, 0, 0, 0, 1}};
const Ipv4Address kOwn(10, 0, 0, 1);
constexpr uint32_t kCapacity = 8;

class Driver {
 public:
  Driver() { announcer_.Start(now_); }

  void Run(ByteView input) {
    while (input.size() >= 2) {
      const uint8_t what = input[0];
      const uint8_t value = input[1];
      input = input.subspan(2);
      switch (what % 8) {
        case 0:
        case 1:
          input = input.subspan(Receive(input, (what & 8) != 0));
          break;
        case 2:
          now_ += 50ms * int64_t{value};
          break;
        case 3:
          PollOnce();
          break;
        case 4:
          if (value < 16) cache_.Remove(AddressOf(value));
          if (value == 255) cache_.Flush();
          break;
        case 5:
          if (value < 4) cache_.AddPermanent(AddressOf(value), kOwnMac, now_);
          break;
        default:
          Send(AddressOf(value % 32));
          break;
      }
      Check(cache_.CheckInvariants());
      Check(!cache_.At(value % kCapacity, now_) ||
            cache_.At(value % kCapacity, now_)->address != kOwn);
    }
    Settle();
  }

 private:
  static Ipv4Address AddressOf(uint32_t n) {
    return Ipv4Address(0x0a000002 + n);
  }

  size_t Receive(ByteView bytes, bool mend) {
    std::array<uint8_t, kPacketLength> copy{};
    const size_t length = std::min<size_t>(bytes.size(), kPacketLength);
    std::copy_n(bytes.begin(), length, copy.begin());
    if (mend) {  // past the fixed fields, which are hard to guess
      Write(copy.data(), {.operation = static_cast<uint16_t>(1 + copy[7] % 2),
                          .sender_mac = MacAddress::Load(copy.data() + 8),
                          .sender = AddressOf(copy[17] % 32),
                          .target_mac = {},
                          .target = kOwn});
    }
    Packet packet;
    const size_t given = mend ? kPacketLength : length;
    const ParseStatus status = Parse({copy.data(), given}, packet);
    Check(status != ParseStatus::kOk || given == kPacketLength);
    if (status != ParseStatus::kOk) return length;
    if (announcer_.OnArp(packet, now_) != ConflictEvent::kNone) return length;
    if (packet.sender == kOwn) {
      Check(!announcer_.usable());
      return length;
    }
    cache_.OnPacket(packet, packet.target == kOwn, now_);
    return length;
  }

  void Send(Ipv4Address address) {
    const LookupResult r = cache_.Lookup(address, now_);
    if (r.status == LookupStatus::kReady) {
      Check(cache_.Use(r.index, r.generation, now_));
      Check(!r.mac.IsMulticast() && !r.mac.IsZero());
    }
    if (r.status != LookupStatus::kPending) return;
    Check(r.index < kCapacity);
    std::optional<Ipv4Address>& queue = queues_.at(r.index);
    Check(!queue || *queue == address);
    queue = address;
  }

  size_t PollOnce() {
    announcer_.Poll(now_);
    std::array<Action, 3> actions;
    const size_t n = cache_.Poll(now_, actions);
    Check(n <= actions.size());
    for (size_t i = 0; i < n; ++i) {
      const Action& a = actions.at(i);
      std::optional<Ipv4Address>& queue = queues_.at(a.index);
      if (a.kind == ActionKind::kResolved) {
        Check(!queue || *queue == a.address);
        Check(!a.mac.IsZero());
      }
      if (a.kind == ActionKind::kResolved || a.kind == ActionKind::kFailed) {
        queue.reset();
      }
    }
    return n;
  }

  // Left alone, everybody is told and nobody asks for ever.
  void Settle() {
    for (int i = 0; i < 40; ++i, now_ += 1s) {
      while (PollOnce() != 0) {
      }
    }
    for (const auto& queue : queues_) Check(!queue);
    now_ += 1h;
    while (PollOnce() != 0) {
    }
    Check(cache_.NextDeadline() == kTimeNever);
  }

  NeighborCache cache_{{.capacity = kCapacity}, {0x12345678abcdef, 99}};
  Announcer announcer_{{}, kOwnMac, kOwn, Rng(1)};
  std::array<std::optional<Ipv4Address>, kCapacity> queues_;
  Time now_ = kTimeZero;
};

}  // namespace
}  // namespace corelane::arp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  corelane::arp::Driver().Run({data, size});
  return 0;
}
