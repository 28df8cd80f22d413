#include "proto/tcp/syn_cookie.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace corelane::tcp {
namespace {

constexpr Duration kStep = kCookieLifetime / 2;

// What peers offer: Ethernet's, less the headers of tunnels, IPv6's minimum,
// the default, jumbo frames. The first is for whatever is below the second.
constexpr std::array<uint16_t, 8> kMssTable = {88,   536,  1220, 1360,
                                               1400, 1440, 1460, 8960};
constexpr uint32_t kMssMask = 7;
constexpr uint32_t kTimestampsBit = 8;
constexpr uint32_t kCookieDataMask = kMssMask | kTimestampsBit;

// In our timestamp.
constexpr uint32_t kScaleMask = 15;
constexpr uint32_t kNoScale = 15;
constexpr uint32_t kSackBit = 16;
constexpr uint32_t kEcnBit = 32;
constexpr uint32_t kOptionsMask = 63;
// By how much the bits may have set a timestamp back.
constexpr uint32_t kMaxSetBack = 2 * (kOptionsMask + 1);

uint32_t MssIndex(uint16_t peer_mss) {
  const uint16_t mss = peer_mss == 0 ? 536 : peer_mss;
  uint32_t index = 0;
  while (index + 1 < kMssTable.size() && kMssTable[index + 1] <= mss) ++index;
  return index;
}

uint32_t StepOf(Time now) {
  return static_cast<uint32_t>(now.time_since_epoch() / kStep);
}

// The cookie with these low bits.
uint32_t Cookie(const Request& request, SeqNum irs, uint32_t step,
                uint32_t data, uint32_t options, const SipKey& secret) {
  const uint32_t words[] = {request.key.local_address,
                            request.key.remote_address,
                            request.key.Ports(),
                            irs.value(),
                            step,
                            data << 8 | options};
  uint8_t message[sizeof(words)];
  std::memcpy(message, words, sizeof(words));
  const auto hash = static_cast<uint32_t>(SipHash24(secret, message));
  return (hash & ~kCookieDataMask) | data;
}

uint32_t OptionBits(const Request& request) {
  uint32_t bits = request.Has(kRequestWindowScale)
                      ? std::min(request.peer_window_scale, kMaxWindowScale)
                      : kNoScale;
  if (request.Has(kRequestSack)) bits |= kSackBit;
  if (request.Has(kRequestEcn)) bits |= kEcnBit;
  return bits;
}

void TakeOptionBits(Request& request, uint32_t bits) {
  if ((bits & kScaleMask) != kNoScale) {
    request.flags |= kRequestWindowScale;
    request.peer_window_scale = static_cast<uint8_t>(bits & kScaleMask);
  }
  if ((bits & kSackBit) != 0) request.flags |= kRequestSack;
  if ((bits & kEcnBit) != 0) request.flags |= kRequestEcn;
}

// The latest timestamp with these low bits that does not lie ahead, so that the
// connection's later ones never run backwards.
uint32_t StampWith(uint32_t timestamp, uint32_t bits) {
  const uint32_t stamp = (timestamp & ~kOptionsMask) | bits;
  return (timestamp & kOptionsMask) < bits ? stamp - (kOptionsMask + 1) : stamp;
}

}  // namespace

SegmentSpec CookieSynAck(Request& request, uint16_t mss, const Config& config,
                         const SipKey& secret, Time now) {
  uint32_t data = MssIndex(request.peer_mss);
  uint32_t options = 0;
  if (request.Has(kRequestTimestamps)) {
    data |= kTimestampsBit;
    options = OptionBits(request);
  } else {
    request.flags = 0;
  }
  request.iss =
      SeqNum(Cookie(request, request.irs, StepOf(now), data, options, secret));
  SegmentSpec spec = SynAck(request, mss, config, Now(now));
  if (request.Has(kRequestTimestamps)) {
    spec.syn_options.ts_value = StampWith(spec.syn_options.ts_value, options);
  }
  return spec;
}

bool OpenFromCookie(Request& request, const Segment& ack, const SipKey& secret,
                    Time now) {
  const SeqNum iss = ack.ack - 1;
  const SeqNum irs = ack.seq - 1;
  const uint32_t data = iss.value() & kCookieDataMask;
  const bool timestamps = (data & kTimestampsBit) != 0;
  const Now time(now);
  Options parsed;
  uint32_t bits = 0;
  if (timestamps) {
    parsed = ParseOptions(ack.OptionBytes());
    if (!parsed.has_timestamps) return false;
    constexpr auto kOldest =
        static_cast<uint32_t>(kCookieLifetime / 1ms) + kMaxSetBack;
    if (time.ms + request.ts_offset - parsed.ts_echo > kOldest) return false;
    bits = parsed.ts_echo & kOptionsMask;
  }
  const uint32_t step = StepOf(now);
  const auto matches = [&](uint32_t s) {
    return iss.value() == Cookie(request, irs, s, data, bits, secret);
  };
  if (!matches(step) && !matches(step - 1)) return false;
  request.iss = iss;
  request.irs = irs;
  request.window = ack.window;
  request.peer_mss = kMssTable[data & kMssMask];
  request.ts_recent = parsed.ts_value;
  request.flags = kRequestUntimed;
  if (timestamps) {
    request.flags |= kRequestTimestamps;
    TakeOptionBits(request, bits);
  }
  request.retransmits = 0;
  request.synack_us = time.us;
  request.opened_at = time.tick;
  return true;
}

}  // namespace corelane::tcp
