#include "proto/tcp/handshake.h"

#include <algorithm>

#include "proto/tcp/header_prediction.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/rtt.h"
#include "proto/tcp/timers.h"

namespace corelane::tcp {
namespace {

// ACKs sent without delay at the start of a connection, while the peer's
// congestion window is small and each ACK matters.
constexpr uint8_t kInitialQuickAcks = 16;

uint32_t FirstWindow(const Config& config) {
  return std::min<uint32_t>(config.receive_buffer, 0xffff);
}

}  // namespace

uint16_t EffectiveMss(uint16_t peer_mss, uint16_t own_mss,
                      const Config& config) {
  const uint16_t offered = peer_mss == 0 ? 536 : peer_mss;
  return std::min(own_mss, std::max(offered, config.min_mss));
}

void OpenPassive(Request& request, const Segment& syn, SeqNum iss, Now now) {
  const Options options = ParseOptions(syn.OptionBytes());
  request.iss = iss;
  request.irs = syn.seq;
  request.window = syn.window;
  request.peer_mss = options.mss;
  request.window_scaling = options.has_window_scale;
  request.peer_window_scale = options.window_scale;
  request.retransmits = 0;
  request.synack_us = now.us;
  request.opened_at = now.tick;
}

SegmentSpec SynAck(const Request& request, uint16_t mss, const Config& config) {
  SegmentSpec spec;
  spec.seq = request.iss;
  spec.ack = request.irs + 1;
  spec.flags = kSyn | kAck;
  spec.window = static_cast<uint16_t>(FirstWindow(config));
  spec.has_syn_options = true;
  spec.syn_options.mss = mss;
  if (request.window_scaling) {
    spec.syn_options.window_scale = WindowScaleFor(config.receive_buffer);
  }
  return spec;
}

RequestVerdict OnRequestSegment(const Request& request, const Segment& segment,
                                uint32_t receive_window) {
  const SeqNum rcv_nxt = request.irs + 1;
  if (segment.Has(kSyn) && !segment.Has(kRst)) {
    if (segment.seq == request.irs && !segment.Has(kAck)) {
      return RequestVerdict::kResendSynAck;
    }
    return RequestVerdict::kChallengeAck;  // RFC 5961 section 4
  }
  const bool acceptable =
      InWindow(segment.seq, rcv_nxt, receive_window) ||
      (segment.seq < rcv_nxt && segment.seq + segment.Length() > rcv_nxt);
  if (!acceptable) {
    return segment.Has(kRst) ? RequestVerdict::kIgnore
                             : RequestVerdict::kChallengeAck;
  }
  if (segment.Has(kRst)) {  // RFC 5961 section 3
    if (segment.seq == rcv_nxt) return RequestVerdict::kDelete;
    return segment.seq > rcv_nxt ? RequestVerdict::kChallengeAck
                                 : RequestVerdict::kIgnore;
  }
  if (!segment.Has(kAck)) return RequestVerdict::kIgnore;
  return segment.ack == request.iss + 1 ? RequestVerdict::kAccept
                                        : RequestVerdict::kReset;
}

void Establish(ControlBlock& cb, const Request& request, uint16_t own_mss,
               const Context& ctx) {
  const Config& config = ctx.config;
  cb.key = request.key;
  cb.port = request.port;
  cb.state = State::kEstablished;
  cb.iss = request.iss;
  cb.irs = request.irs;
  cb.snd_una = cb.snd_nxt = cb.snd_queued = request.iss + 1;
  cb.rcv_nxt = cb.rcv_acked = request.irs + 1;
  cb.rcv_edge = cb.rcv_nxt + FirstWindow(config);
  if (request.window_scaling) {
    cb.Set(kWindowScaling);
    cb.window_scales = static_cast<uint8_t>(
        WindowScaleFor(config.receive_buffer) << 4 | request.peer_window_scale);
  }
  cb.snd_edge = cb.snd_una + request.window;
  cb.max_window = request.window;
  cb.snd_wl1 = request.irs;
  cb.snd_wl2 = cb.snd_una;
  cb.peer_mss = request.peer_mss;
  cb.mss = EffectiveMss(request.peer_mss, own_mss, config);
  cb.rto_us = ToMicros(config.rto_initial);
  cb.quick_acks = kInitialQuickAcks;
  cb.opened_at = cb.una_since = ctx.now.tick;
  if (config.nodelay) cb.Set(kNoDelay);
  cb.retransmits = request.retransmits;
  StartCongestion(cb, config);
  cb.retransmits = 0;
  if (request.retransmits == 0) {  // Karn: a repeated SYN-ACK is not timed
    OnRttSample(cb, ctx.now.us - request.synack_us, config);
  } else {
    cb.rto_us = ToMicros(kRtoAfterLostSyn);
  }
  UpdatePrediction(cb);
  ++ctx.counters.passive_opens;
}

void OpenActive(ControlBlock& cb, SeqNum iss, uint16_t own_mss,
                const Context& ctx) {
  const Config& config = ctx.config;
  cb.state = State::kSynSent;
  cb.iss = iss;
  cb.snd_una = cb.snd_nxt = iss;
  cb.snd_queued = iss + 1;  // room for the SYN
  cb.snd_edge = iss + 1;
  cb.mss = own_mss;
  cb.rto_us = ToMicros(config.rto_initial);
  cb.quick_acks = kInitialQuickAcks;
  cb.opened_at = ctx.now.tick;
  cb.rcv_edge = cb.rcv_nxt + FirstWindow(config);
  cb.Set(kSynDue | kActiveOpen);
  if (config.nodelay) cb.Set(kNoDelay);
  ++ctx.counters.active_opens;
}

void CompleteActive(ControlBlock& cb, const Context& ctx) {
  if (cb.retransmits > 0) {
    cb.rto_us = ToMicros(kRtoAfterLostSyn);
  } else {
    OnRttSample(cb, ctx.now.us - cb.measure_us, ctx.config);
  }
  cb.Clear(kSynDue);
  cb.snd_una = cb.snd_nxt = cb.iss + 1;
  cb.una_since = ctx.now.tick;
  // A CLOSE in SYN-RECEIVED waited for this (section 3.10.4).
  cb.state = cb.Has(kFinQueued) ? State::kFinWait1 : State::kEstablished;
  StopRetransmit(cb);
  StartCongestion(cb, ctx.config);
  cb.retransmits = 0;
  UpdatePrediction(cb);
}

}  // namespace corelane::tcp
