#include "proto/arp/announcer.h"

#include <algorithm>
#include <limits>

namespace corelane::arp {

Duration Announcer::RandomBetween(Duration low, Duration high) {
  // Microseconds: 32 bits of them are more than an hour.
  const int64_t span = std::clamp<int64_t>(
      (high - low) / 1us, 0, std::numeric_limits<uint32_t>::max() - 1);
  return low + 1us * int64_t{rng_.Below(static_cast<uint32_t>(span) + 1)};
}

Packet Announcer::Make(Ipv4Address sender) const {
  return {.operation = kRequest,
          .sender_mac = mac_,
          .sender = sender,
          .target_mac = MacAddress{},
          .target = address_};
}

void Announcer::Start(Time now) {
  sent_ = 0;
  defend_now_ = false;
  if (timing_.probe && timing_.probes > 0) {
    state_ = AnnouncerState::kProbing;
    deadline_ = now + RandomBetween(0s, timing_.probe_wait);
  } else {
    state_ = AnnouncerState::kAnnouncing;
    deadline_ = now;
  }
}

std::optional<Packet> Announcer::Poll(Time now) {
  if (defend_now_) {
    defend_now_ = false;
    return Make(address_);
  }
  if (now < deadline_) return std::nullopt;
  if (state_ == AnnouncerState::kContested) Start(now);
  if (now < deadline_) return std::nullopt;
  if (state_ == AnnouncerState::kProbing) {
    if (sent_ < timing_.probes) {
      ++sent_;
      deadline_ =
          now + (sent_ < timing_.probes
                     ? RandomBetween(timing_.probe_min, timing_.probe_max)
                     : timing_.announce_wait);
      return Make(Ipv4Address());
    }
    state_ = AnnouncerState::kAnnouncing;
    sent_ = 0;
  }
  if (sent_ < timing_.announcements) {
    ++sent_;
    deadline_ = now + timing_.announce_interval;
    return Make(address_);
  }
  state_ = AnnouncerState::kDefending;
  deadline_ = kTimeNever;
  return std::nullopt;
}

ConflictEvent Announcer::OnArp(const Packet& packet, Time now) {
  if (packet.sender_mac == mac_) return ConflictEvent::kOwnPacket;
  const bool claims = packet.sender == address_;
  if (state_ == AnnouncerState::kProbing) {
    // RFC 5227 section 2.1.1: also somebody else's probe for it.
    if (!claims && !(packet.IsProbe() && packet.target == address_)) {
      return ConflictEvent::kNone;
    }
    state_ = AnnouncerState::kContested;
    deadline_ = now + timing_.retry_interval;
    ++conflicts_;
    rival_ = packet.sender_mac;
    return ConflictEvent::kLostWhileProbing;
  }
  if (!claims || !usable()) return ConflictEvent::kNone;
  ++conflicts_;
  rival_ = packet.sender_mac;
  // Section 2.4 (c): the address is kept, but two hosts that both keep it must
  // not fight over it without end.
  const bool rested = last_defense_ == Time::min() ||
                      now - last_defense_ >= timing_.defend_interval;
  if (!rested) return ConflictEvent::kReported;
  last_defense_ = now;
  defend_now_ = true;
  return ConflictEvent::kDefended;
}

}  // namespace corelane::arp
