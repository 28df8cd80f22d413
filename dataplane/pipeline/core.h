// What every layer of one core's stack shares.
#ifndef CORELANE_DATAPLANE_PIPELINE_CORE_H_
#define CORELANE_DATAPLANE_PIPELINE_CORE_H_

#include <cstdint>

#include "dataplane/packet/packet_pool.h"
#include "dataplane/pipeline/counters.h"
#include "proto/base/hash.h"
#include "proto/base/rng.h"
#include "proto/base/siphash.h"
#include "proto/base/time.h"
#include "proto/tcp/clock.h"

namespace corelane::dataplane {

// Drawn once per process from the host's random device (or from the seed of a
// simulation), never shown.
struct Secrets {
  SipKey isn;
  SipKey ports;
  SipKey rng;
  FlowHashKey flow_hash;
  SipKey timestamps;
  SipKey cookies;

  static Secrets FromSeed(uint64_t seed) {
    Rng rng(seed, 0x5ec7e7);
    auto key = [&] { return SipKey{rng.Next64(), rng.Next64()}; };
    return {key(), key(), key(), {rng.Next64(), rng.Next64()}, key(), key()};
  }
};

class Steering;

struct Core {
  Core(PacketPool* packet_pool, const Secrets& s, Time time)
      : pool(*packet_pool), secrets(s), rng(s.rng, 1), challenge_rng(s.rng, 2) {
    SetTime(time);
    low_memory_mark = pool.available() / 8;
    CheckMemory();
  }

  PacketPool& pool;
  Secrets secrets;
  Rng rng;
  Counters counters;
  // Addresses are the host's, whichever interface has them: what comes for one
  // by another interface is taken (RFC 1122 section 3.3.4.2).
  bool weak_host = false;
  Steering* steering = nullptr;  // to the other cores, if there are any
  Time now = kTimeZero;          // read once per turn
  tcp::Now tcp_now;              // the same, in TCP's units
  // Few packets are left: a connection gets one for what it receives and one
  // for what it sends if it has none, so that those that hold the others do not
  // starve it. Fewer still, and payload is refused: control must get by.
  bool low_memory = false;
  bool no_memory = false;
  uint32_t low_memory_mark = 0;  // fewer than this, and than half of it
  // Packets above the mark when that was last looked at. What Send queues on a
  // connection is at most as many bytes as a quarter of them hold when full.
  // Packets with less in them, and those of SendPacket and ReturnFront, are not
  // counted: that is not fair yet.
  uint32_t packets_left = 0;
  // Packets that may be bound before the pool has to be asked again: asking
  // costs more than a packet does.
  int64_t spare_packets = 0;

  // Challenge ACKs that may still leave in this second (RFC 5961 section 7).
  // How many that were is not to be known: whoever counts those that he draws
  // would learn what became of the spoofed ones (CVE-2016-5696).
  uint32_t challenge_budget = 0;
  Time challenge_refill = kTimeZero;
  Rng challenge_rng;

  void SetTime(Time time) {
    now = time;
    tcp_now = tcp::Now(time);
  }

  void RefillChallenges() {
    constexpr uint32_t kPerSecond = 1000;  // +- 50 %
    if (now < challenge_refill) return;
    challenge_refill = now + 1s;
    challenge_budget = kPerSecond / 2 + challenge_rng.Below(kPerSecond + 1);
  }

  void CheckMemory() {
    const uint32_t left = pool.available();
    low_memory = left < low_memory_mark;
    no_memory = left < low_memory_mark / 2;
    packets_left = low_memory ? 0 : left - low_memory_mark;
    spare_packets = packets_left;
  }
  // `n` packets came in or are about to be allocated for payload.
  void NoteBound(uint32_t n) {
    spare_packets -= n;
    if (spare_packets < 0) [[unlikely]] {
      CheckMemory();
    }
  }

  // Ends a received packet's life with a reason.
  void Drop(Packet* packet, DropReason reason) {
    ++counters.Drop(reason);
    pool.Free(packet);
  }
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_CORE_H_
