#include "proto/tcp/syn_sent.h"

#include <algorithm>

#include "proto/tcp/handshake.h"
#include "proto/tcp/options.h"

namespace corelane::tcp {
namespace {

// RFC 3168 section 6.1.1: the answer to our request, or, in a simultaneous
// open, the peer's. Not if we have sent a SYN without the request as well.
bool MayUseEcn(const ControlBlock& cb, const Segment& segment,
               const Config& config) {
  if (config.ecn != Ecn::kRequest || cb.retransmits > 0) return false;
  return segment.Has(kAck) ? segment.Has(kEce) && !segment.Has(kCwr)
                           : IsEcnSetupSyn(segment);
}

// RFC 7323 section 3.2: an echo has to be of one of our SYNs. If it is not, the
// segment answers another connection's.
bool EchoesOurSyn(const ControlBlock& cb, const Segment& segment,
                  const Context& ctx) {
  if (!ctx.config.timestamps || !segment.Has(kAck)) return true;
  const Options options = ParseOptions(segment.OptionBytes());
  // Some peers leave the field empty in a SYN-ACK.
  if (!options.has_timestamps || options.ts_echo == 0) return true;
  const uint64_t ticks = ctx.now.tick - cb.opened_at;
  const auto elapsed_ms =
      static_cast<uint32_t>((ticks << kTickShift) / 1'000'000 + 2);
  const uint32_t age = ctx.now.ms + cb.ts_offset - options.ts_echo;
  return age <= elapsed_ms;
}

// Takes what the peer's SYN says.
void LearnFromSyn(ControlBlock& cb, const Segment& segment,
                  const Context& ctx) {
  const Config& config = ctx.config;
  const Options options = ParseOptions(segment.OptionBytes());
  cb.irs = segment.seq;
  cb.rcv_nxt = cb.rcv_acked = segment.seq + 1;
  cb.rcv_edge = cb.rcv_nxt + std::min<uint32_t>(config.receive_buffer, 0xffff);
  cb.peer_mss = options.mss;
  if (config.timestamps && options.has_timestamps) {
    cb.Set(kTimestamps);
    cb.ts_recent = options.ts_value;
    cb.ts_recent_ms = ctx.now.ms;
  }
  if (config.sack && options.sack_permitted) cb.Set(kSack);
  if (MayUseEcn(cb, segment, config)) cb.Set(kEcn);
  cb.mss = PayloadMss(EffectiveMss(options.mss, cb.mss, config),
                      cb.Has(kTimestamps));
  if (config.window_scaling && options.has_window_scale) {
    cb.Set(kWindowScaling);
    cb.window_scales = static_cast<uint8_t>(
        WindowScaleFor(config.receive_buffer) << 4 | options.window_scale);
  }
  // The window in a SYN is never scaled (RFC 7323 section 2.2).
  cb.snd_edge = (segment.Has(kAck) ? segment.ack : cb.snd_una) + segment.window;
  cb.max_window = segment.window;
  cb.snd_wl1 = segment.seq;
  cb.snd_wl2 = segment.Has(kAck) ? segment.ack : cb.snd_una;
}

void Connect(ControlBlock& cb, const Context& ctx, IngestResult& result) {
  CompleteActive(cb, ctx);
  cb.Set(kAckNow);
  result.events |= kConnected;
}

}  // namespace

void IngestSynSent(ControlBlock& cb, const Segment& segment, const Context& ctx,
                   IngestResult& result) {
  const bool ack_ok =
      segment.Has(kAck) && segment.ack == cb.iss + 1 && cb.snd_nxt != cb.iss;
  if (segment.Has(kAck) && !ack_ok) {
    result.reply_reset = !segment.Has(kRst);
    return;
  }
  if (segment.Has(kRst)) {
    if (!ack_ok) return;
    ++ctx.counters.resets_in;
    ++ctx.counters.failed_opens;
    cb.error = Error::kRefused;
    cb.state = State::kClosed;
    result.events |= kBroken;
    return;
  }
  if (!segment.Has(kSyn)) return;
  if (!EchoesOurSyn(cb, segment, ctx)) {
    result.reply_reset = true;
    return;
  }
  LearnFromSyn(cb, segment, ctx);
  if (ack_ok) {
    Connect(cb, ctx, result);
    return;
  }
  // Simultaneous open (section 3.5): our SYN goes out again, with an ACK.
  cb.state = State::kSynReceived;
  // The peer lives: the SYN-ACK has its own number of attempts. That one was
  // needed is remembered, for RFC 6298 (5.7).
  cb.retransmits = std::min<uint8_t>(cb.retransmits, 1);
  cb.Set(kSynDue);
}

}  // namespace corelane::tcp
