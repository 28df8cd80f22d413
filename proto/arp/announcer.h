// Claiming and defending an own IPv4 address (RFC 5227).
#ifndef CORELANE_PROTO_ARP_ANNOUNCER_H_
#define CORELANE_PROTO_ARP_ANNOUNCER_H_

#include <cstdint>
#include <optional>

#include "proto/arp/packet.h"
#include "proto/base/address.h"
#include "proto/base/rng.h"
#include "proto/base/time.h"

namespace corelane::arp {

// The constants of RFC 5227 section 1.1.
struct AnnouncerTiming {
  // False: the address is in use at once and only announced. A server that is
  // meant to start at once does without the 4 to 7 seconds of probing.
  bool probe = true;
  uint8_t probes = 3;
  Duration probe_wait = 1s;  // random delay before the first probe
  Duration probe_min = 1s;   // between probes, random
  Duration probe_max = 2s;
  Duration announce_wait = 2s;  // from the last probe to the announcement
  uint8_t announcements = 2;
  Duration announce_interval = 2s;
  Duration defend_interval = 10s;
  // How long a contested address is left alone before it is probed again.
  Duration retry_interval = 60s;
};

enum class AnnouncerState : uint8_t {
  kIdle,        // Start was not called
  kProbing,     // must not be used yet
  kAnnouncing,  // in use
  kDefending,   // in use, watching
  kContested,   // lost while probing: must not be used
};

enum class ConflictEvent : uint8_t {
  kNone,
  kOwnPacket,         // our own, come back
  kLostWhileProbing,  // somebody has it or wants it: not to be used
  kDefended,          // somebody claims it; one announcement answers
  kReported,          // claimed again within the defend interval: kept, silent
};

// One own address on one port. Pure decisions: the caller sends what Poll
// returns, to the broadcast MAC address, and shows every received ARP packet
// to OnArp *before* any neighbour cache sees it.
class Announcer {
 public:
  // `rng` spaces the probes; a stream of its own.
  Announcer(const AnnouncerTiming& timing, const MacAddress& mac,
            Ipv4Address address, const Rng& rng)
      : timing_(timing), mac_(mac), address_(address), rng_(rng) {}

  void Start(Time now);

  // What is to be broadcast now, if anything. Call it until there is nothing.
  std::optional<Packet> Poll(Time now);
  // When Poll wants to be called; kTimeNever when nothing is planned.
  Time NextDeadline() const { return defend_now_ ? Time::min() : deadline_; }

  // Looks at a received packet. When the result is not kNone the packet must
  // not reach the neighbour cache: it is our own, or somebody else (kept in
  // rival()) claims our address.
  ConflictEvent OnArp(const Packet& packet, Time now);

  // Whether the address may be used: answered for, sent from.
  bool usable() const {
    return state_ == AnnouncerState::kAnnouncing ||
           state_ == AnnouncerState::kDefending;
  }
  AnnouncerState state() const { return state_; }
  Ipv4Address address() const { return address_; }
  const MacAddress& rival() const { return rival_; }
  uint32_t conflicts() const { return conflicts_; }

 private:
  Duration RandomBetween(Duration low, Duration high);
  Packet Make(Ipv4Address sender) const;

  AnnouncerTiming timing_;
  MacAddress mac_;
  Ipv4Address address_;
  Rng rng_;
  AnnouncerState state_ = AnnouncerState::kIdle;
  uint8_t sent_ = 0;  // probes or announcements, in this state
  bool defend_now_ = false;
  uint32_t conflicts_ = 0;
  MacAddress rival_;
  Time deadline_ = kTimeNever;
  Time last_defense_ = Time::min();
};

}  // namespace corelane::arp

#endif  // CORELANE_PROTO_ARP_ANNOUNCER_H_
