#include "proto/tcp/handshake.h"

#include <algorithm>

#include "proto/tcp/ack_policy.h"
#include "proto/tcp/header_prediction.h"
#include "proto/tcp/receive_tuning.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/rtt.h"
#include "proto/tcp/timers.h"

namespace corelane::tcp {
namespace {

// A segment with timestamps carries that much less payload.
constexpr uint16_t kTimestampsLength = 12;

// Challenge ACKs of a request are 500 ms apart, like those of a connection;
// here the clock is coarser, to fit into the record.
constexpr int kChallengeShift = 9;  // ticks of 33.6 ms
constexpr uint16_t kChallengeGap = ToTicks(500ms) >> kChallengeShift;

uint16_t FirstWindow(const Config& config) {
  return static_cast<uint16_t>(
      std::min<uint32_t>(config.receive_buffer, 0xffff));
}

bool AllowChallenge(Request& request, Now now) {
  const auto at = static_cast<uint16_t>(now.tick >> kChallengeShift | 1);
  if (request.challenge_at != 0 &&
      static_cast<uint16_t>(at - request.challenge_at) < kChallengeGap) {
    return false;
  }
  request.challenge_at = at;
  return true;
}

// The peer's SYN, again.
void OnRepeatedSyn(Request& request, const Segment& syn) {
  request.flags |= kRequestUntimed;
  // RFC 3168 section 6.1.1: ECN only when every SYN asked for it.
  if (!IsEcnSetupSyn(syn)) request.flags &= ~uint8_t{kRequestEcn};
  if (!request.Has(kRequestTimestamps)) return;
  const Options options = ParseOptions(syn.OptionBytes());
  if (options.has_timestamps &&
      !TimestampBefore(options.ts_value, request.ts_recent)) {
    request.ts_recent = options.ts_value;
  }
}

// RFC 7323 section 5: from before the SYN, so not of this connection.
bool FailsPaws(const Request& request, const Segment& segment) {
  if (!request.Has(kRequestTimestamps)) return false;
  const Options options = ParseOptions(segment.OptionBytes());
  return options.has_timestamps &&
         TimestampBefore(options.ts_value, request.ts_recent);
}

}  // namespace

uint16_t OwnMss(uint16_t mtu, const Config& config) {
  const auto mss = static_cast<uint16_t>(mtu - 40);
  return config.max_segment == 0 ? mss : std::min(mss, config.max_segment);
}

uint16_t PayloadMss(uint16_t mss, bool timestamps) {
  return timestamps ? static_cast<uint16_t>(mss - kTimestampsLength) : mss;
}

uint16_t EffectiveMss(uint16_t peer_mss, uint16_t own_mss,
                      const Config& config) {
  const uint16_t offered = peer_mss == 0 ? 536 : peer_mss;
  return std::min(own_mss, std::max(offered, config.min_mss));
}

void OpenPassive(Request& request, const Segment& syn, SeqNum iss,
                 const Config& config, Now now) {
  const Options options = ParseOptions(syn.OptionBytes());
  request.iss = iss;
  request.irs = syn.seq;
  request.window = syn.window;
  request.peer_mss = options.mss;
  request.peer_window_scale = options.window_scale;
  request.ts_recent = options.ts_value;
  request.flags = 0;
  if (config.timestamps && options.has_timestamps) {
    request.flags |= kRequestTimestamps;
  }
  if (config.sack && options.sack_permitted) request.flags |= kRequestSack;
  if (config.window_scaling && options.has_window_scale) {
    request.flags |= kRequestWindowScale;
  }
  if (config.ecn != Ecn::kOff && IsEcnSetupSyn(syn)) {
    request.flags |= kRequestEcn;
  }
  request.retransmits = 0;
  request.challenge_at = 0;
  request.synack_us = now.us;
  request.opened_at = now.tick;
}

SegmentSpec SynAck(const Request& request, uint16_t mss, const Config& config,
                   Now now) {
  SegmentSpec spec;
  spec.seq = request.iss;
  spec.ack = request.irs + 1;
  spec.flags = kSyn | kAck;
  if (request.Has(kRequestEcn)) spec.flags |= kEce;
  spec.window = FirstWindow(config);
  spec.has_syn_options = true;
  SynOptions& options = spec.syn_options;
  options.mss = mss;
  options.sack_permitted = request.Has(kRequestSack);
  if (request.Has(kRequestWindowScale)) {
    options.window_scale = WindowScaleFor(config.receive_buffer);
  }
  if (request.Has(kRequestTimestamps)) {
    options.has_timestamps = true;
    options.ts_value = now.ms + request.ts_offset;
    options.ts_echo = request.ts_recent;
  }
  return spec;
}

SegmentSpec SynAckAgain(Request& request, uint16_t mss, const Config& config,
                        Now now) {
  request.flags &= ~uint8_t{kRequestEcn};
  return SynAck(request, mss, config, now);
}

SegmentSpec RequestChallenge(const Request& request, const Config& config,
                             Now now) {
  SegmentSpec spec;
  spec.seq = request.iss + 1;
  spec.ack = request.irs + 1;
  spec.flags = kAck;
  spec.window = FirstWindow(config);
  if (request.Has(kRequestWindowScale)) {
    spec.window >>= WindowScaleFor(config.receive_buffer);
  }
  if (request.Has(kRequestTimestamps)) {
    spec.has_timestamps = true;
    spec.ts_value = now.ms + request.ts_offset;
    spec.ts_echo = request.ts_recent;
  }
  return spec;
}

RequestVerdict OnRequestSegment(Request& request, const Segment& segment,
                                uint32_t receive_window, Now now) {
  const auto challenge = [&] {
    return AllowChallenge(request, now) ? RequestVerdict::kChallengeAck
                                        : RequestVerdict::kIgnore;
  };
  const SeqNum rcv_nxt = request.irs + 1;
  if (segment.Has(kSyn) && !segment.Has(kRst)) {
    if (segment.seq == request.irs && !segment.Has(kAck)) {
      OnRepeatedSyn(request, segment);
      return RequestVerdict::kResendSynAck;
    }
    return challenge();  // RFC 5961 section 4
  }
  const bool acceptable =
      InWindow(segment.seq, rcv_nxt, receive_window) ||
      (segment.seq < rcv_nxt && segment.seq + segment.Length() > rcv_nxt);
  if (segment.Has(kRst)) {  // RFC 5961 section 3
    if (!acceptable || segment.seq < rcv_nxt) return RequestVerdict::kIgnore;
    return segment.seq == rcv_nxt ? RequestVerdict::kDelete : challenge();
  }
  if (!acceptable || FailsPaws(request, segment)) return challenge();
  if (!segment.Has(kAck)) return RequestVerdict::kIgnore;
  return segment.ack == request.iss + 1 ? RequestVerdict::kAccept
                                        : RequestVerdict::kReset;
}

void Establish(ControlBlock& cb, const Request& request, uint16_t own_mss,
               const Context& ctx) {
  const Config& config = ctx.config;
  cb.key = request.key;
  cb.port = request.port;
  cb.ts_offset = request.ts_offset;
  cb.state = State::kEstablished;
  cb.iss = request.iss;
  cb.irs = request.irs;
  cb.snd_una = cb.snd_nxt = cb.snd_queued = request.iss + 1;
  cb.rcv_nxt = cb.rcv_acked = request.irs + 1;
  cb.rcv_edge = cb.rcv_nxt + FirstWindow(config);
  if (request.Has(kRequestWindowScale)) {
    cb.Set(kWindowScaling);
    cb.window_scales = static_cast<uint8_t>(
        WindowScaleFor(config.receive_buffer) << 4 | request.peer_window_scale);
  }
  if (request.Has(kRequestTimestamps)) {
    cb.Set(kTimestamps);
    cb.ts_recent = request.ts_recent;
    cb.ts_recent_ms = ctx.now.ms;
  }
  if (request.Has(kRequestSack)) cb.Set(kSack);
  if (request.Has(kRequestEcn)) cb.Set(kEcn);
  cb.snd_edge = cb.snd_una + request.window;
  cb.max_window = request.window;
  cb.snd_wl1 = request.irs;
  cb.snd_wl2 = cb.snd_una;
  cb.peer_mss = request.peer_mss;
  cb.mss = PayloadMss(EffectiveMss(request.peer_mss, own_mss, config),
                      cb.Has(kTimestamps));
  cb.rto_us = ToMicros(config.rto_initial);
  cb.quick_acks = kInitialQuickAcks;
  cb.opened_at = cb.una_since = ctx.now.tick;
  if (config.nodelay) cb.Set(kNoDelay);
  cb.retransmits = request.retransmits;
  StartCongestion(cb, config);
  cb.retransmits = 0;
  if (request.retransmits > 0) {
    cb.rto_us = ToMicros(kRtoAfterLostSyn);
  } else if (!request.Has(kRequestUntimed)) {
    // Karn: a repeated SYN-ACK is not timed.
    OnRttSample(cb, ctx.now.us - request.synack_us, config);
  }
  StartReceiveTuning(cb, ctx.now);
  NoteArrivalTime(cb, ctx);
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

SegmentSpec SynFor(const ControlBlock& cb, uint16_t own_mss,
                   const Context& ctx) {
  const Config& config = ctx.config;
  const bool answer = cb.state == State::kSynReceived;
  SegmentSpec spec;
  spec.seq = cb.iss;
  spec.flags = kSyn;
  spec.window = FirstWindow(config);
  spec.has_syn_options = true;
  SynOptions& options = spec.syn_options;
  options.mss = own_mss;
  options.sack_permitted = answer ? cb.Has(kSack) : config.sack;
  if (answer ? cb.Has(kWindowScaling) : config.window_scaling) {
    options.window_scale = WindowScaleFor(config.receive_buffer);
  }
  options.has_timestamps = answer ? cb.Has(kTimestamps) : config.timestamps;
  if (options.has_timestamps) {
    options.ts_value = ctx.now.ms + cb.ts_offset;
    options.ts_echo = cb.ts_recent;
  }
  if (answer) {
    spec.flags |= kAck;
    if (cb.Has(kEcn)) spec.flags |= kEce;
    spec.ack = cb.rcv_nxt;
  } else if (config.ecn == Ecn::kRequest && cb.snd_nxt == cb.iss) {
    // RFC 3168 section 6.1.1.1: only the first one, as some paths drop it.
    spec.flags |= kEce | kCwr;
  }
  return spec;
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
  StartReceiveTuning(cb, ctx.now);
  if (!cb.Has(kAckTimer)) NoteArrivalTime(cb, ctx);
  cb.retransmits = 0;
  UpdatePrediction(cb);
}

}  // namespace corelane::tcp
