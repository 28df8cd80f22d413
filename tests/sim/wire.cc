#include "tests/sim/wire.h"

#include <algorithm>
#include <utility>

#include "proto/icmp/message.h"

namespace corelane::sim {
namespace {

// Preamble, FCS and gap: what a frame costs besides its bytes.
constexpr uint64_t kFrameOverhead = 24;

uint64_t Stream(uint32_t direction, uint32_t purpose) {
  return uint64_t{0x717e} << 32 | uint64_t{direction} << 8 | purpose;
}

}  // namespace

Wire::Wire(const WireConfig& config, uint64_t seed, uint32_t direction)
    : config_(config),
      loss_(seed, Stream(direction, 0)),
      duplicate_(seed, Stream(direction, 1)),
      reorder_(seed, Stream(direction, 2)),
      damage_(seed, Stream(direction, 3)),
      clog_(seed, Stream(direction, 4)),
      mark_(seed, Stream(direction, 5)),
      bounce_(seed, Stream(direction, 6)) {}

void Wire::DropIf(std::function<bool(const ParsedFrame&)> predicate,
                  uint32_t skip, uint32_t count) {
  faults_.push_back({std::move(predicate), skip, count});
}

bool Wire::DroppedByContent(ByteView frame) {
  if (faults_.empty()) return false;
  const ParsedFrame parsed = ParseFrame(frame);
  for (Fault& fault : faults_) {
    if (fault.count == 0 || !fault.predicate(parsed)) continue;
    if (fault.skip > 0) {
      --fault.skip;
      continue;
    }
    --fault.count;
    return true;
  }
  return false;
}

Duration Wire::Below(Rng& rng, Duration bound) {
  const auto us = static_cast<uint32_t>(bound.count() / 1000);
  return Duration(int64_t{rng.Below(us + 1)} * 1000);
}

// Sets a bit that was not set. The Internet checksum always notices one, and
// fifteen: none takes back what another has done, in another fragment say. Only
// within IPv4 datagrams: nothing but the FCS, which a NIC checks, protects ARP
// and the Ethernet header.
void Wire::Corrupt(Frame& frame) {
  const size_t offset = Ipv4Offset(frame);
  if (offset == 0) return;
  const auto room = static_cast<uint32_t>(frame.size() - offset);
  size_t at = offset + damage_.Below(room);
  while (at + 1 < frame.size() && frame[at] == 0xff) ++at;
  if (frame[at] == 0xff) return;
  uint32_t bit = damage_.Below(8);
  while ((frame[at] >> bit & 1) != 0) bit = (bit + 1) % 8;
  frame[at] = static_cast<uint8_t>(frame[at] | 1u << bit);
  ++counters_.corrupted;
}

void Wire::Truncate(Frame& frame) {
  frame.resize(damage_.Below(static_cast<uint32_t>(frame.size())));
  ++counters_.truncated;
}

void Wire::Mark(Frame& frame) {
  const size_t offset = Ipv4Offset(frame);
  if (offset == 0) return;
  uint8_t* ip = frame.data() + offset;
  const uint8_t ecn = ip[1] & ipv4::kEcnMask;
  if (ecn == 0 || ecn == ipv4::kEcnCe) return;
  // RFC 1624, equation 3, for one word.
  const uint16_t before = LoadBe16(ip);
  ip[1] = static_cast<uint8_t>(ip[1] | ipv4::kEcnCe);
  uint32_t sum = static_cast<uint16_t>(~LoadBe16(ip + 10)) + 0u;
  sum += static_cast<uint16_t>(~before) + uint32_t{LoadBe16(ip)};
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  StoreBe16(ip + 10, static_cast<uint16_t>(~sum));
  ++counters_.marked;
}

bool Wire::Bounces(ByteView frame, Frame& error) {
  error.clear();
  if (config_.mtu == 0) return false;
  const ParsedFrame f = ParseFrame(frame);
  if (!f.is_ipv4 || !f.ip.dont_fragment || f.ip.total_length <= config_.mtu) {
    return false;
  }
  ++counters_.too_large;
  if (bounce_.ChancePpm(config_.bounce_loss_ppm)) return true;
  std::vector<uint8_t> message(icmp::kMaxErrorLength);
  message.resize(icmp::WriteError(
      message, {icmp::kUnreachable, icmp::kFragmentationNeeded, config_.mtu},
      frame.subspan(f.ethernet.header_length)));
  const Ipv4Address router((f.ip.source.value() & 0xffffff00) | 254);
  error = IcmpFrame({f.ethernet.destination, f.ethernet.source, router,
                     f.ip.source, f.ethernet.vlan},
                    std::move(message));
  return true;
}

void Wire::Send(ByteView frame, Time now, std::vector<Arrival>& out) {
  ++counters_.frames;
  if (DroppedByContent(frame)) {
    ++counters_.by_content;
    return;
  }
  busy_until_ = std::max(busy_until_, now);
  // One clog at a time: with many frames they would add up to an outage that
  // outlasts every SYN.
  if (config_.clog_ppm > 0 && clog_.ChancePpm(config_.clog_ppm) &&
      now >= clogged_until_) {
    busy_until_ += Below(clog_, config_.clog_time);
    clogged_until_ = busy_until_;
    ++counters_.clogged;
  }
  bool marked = config_.mark_ppm > 0 && mark_.ChancePpm(config_.mark_ppm);
  if (config_.bits_per_second > 0) {
    const uint64_t bits = (frame.size() + kFrameOverhead) * 8;
    const auto waiting = static_cast<uint64_t>((busy_until_ - now).count());
    // Divided first: the product would overflow after a long clog.
    const uint64_t queued =
        waiting / 1000 * (config_.bits_per_second / 1000) / 8000;
    if (queued > config_.queue_bytes) {
      ++counters_.queue_full;
      return;
    }
    if (config_.mark_above > 0 && queued > config_.mark_above) marked = true;
    busy_until_ += Duration(
        static_cast<int64_t>(bits * 1'000'000'000 / config_.bits_per_second));
  }
  if (config_.loss_ppm > 0 && loss_.ChancePpm(config_.loss_ppm)) {
    ++counters_.lost;
    return;
  }
  const bool twice =
      config_.duplicate_ppm > 0 && duplicate_.ChancePpm(config_.duplicate_ppm);
  if (twice) ++counters_.duplicated;
  for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
    Arrival arrival{busy_until_ + config_.delay,
                    Frame(frame.begin(), frame.end())};
    if (marked) Mark(arrival.frame);
    if (config_.reorder_ppm > 0 && reorder_.ChancePpm(config_.reorder_ppm)) {
      arrival.at += Below(reorder_, config_.reorder_delay);
      ++counters_.reordered;
    }
    if (config_.corrupt_ppm > 0 && damage_.ChancePpm(config_.corrupt_ppm)) {
      Corrupt(arrival.frame);
    }
    if (config_.truncate_ppm > 0 && damage_.ChancePpm(config_.truncate_ppm)) {
      Truncate(arrival.frame);
    }
    out.push_back(std::move(arrival));
  }
}

}  // namespace corelane::sim
