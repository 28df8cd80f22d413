#include "proto/tcp/syn_sent.h"

#include <algorithm>

#include "proto/tcp/handshake.h"
#include "proto/tcp/options.h"

namespace corelane::tcp {
namespace {

// Takes what the peer's SYN says.
void LearnFromSyn(ControlBlock& cb, const Segment& segment,
                  const Config& config) {
  const Options options = ParseOptions(segment.OptionBytes());
  cb.irs = segment.seq;
  cb.rcv_nxt = cb.rcv_acked = segment.seq + 1;
  cb.rcv_edge = cb.rcv_nxt + std::min<uint32_t>(config.receive_buffer, 0xffff);
  cb.peer_mss = options.mss;
  cb.mss = EffectiveMss(options.mss, cb.mss, config);
  if (options.has_window_scale) {
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
  LearnFromSyn(cb, segment, ctx.config);
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
