// A sender that has always something to send, on a path of which the test says
// what each acknowledgment brings: congestion control without the rest of TCP.
#ifndef CORELANE_TESTS_PROTO_TCP_CONGESTION_HARNESS_H_
#define CORELANE_TESTS_PROTO_TCP_CONGESTION_HARNESS_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/congestion_control.h"
#include "proto/tcp/scaled_growth.h"

namespace corelane::tcp {

struct CongestionHarness {
  explicit CongestionHarness(CongestionControl control, uint16_t mss = 1000) {
    config.congestion = control;
    cb.mss = mss;
    cb.cwnd = 10u * mss;
    cb.ssthresh = kMaxCwnd;
    // Both wrap during any test that is not short.
    cb.snd_una = cb.snd_nxt = SeqNum(0xffff0000);
  }

  Context context() {
    Now now;
    now.us = static_cast<uint32_t>(now_us);
    now.ms = static_cast<uint32_t>(now_us / 1000);
    return Context{config, counters, now};
  }

  // What cwnd lets go leaves now.
  void Fill() { cb.snd_nxt = SeqMax(cb.snd_nxt, cb.snd_una + cb.cwnd); }

  // `bytes` are acknowledged now, and what may follows them.
  void Ack(uint32_t bytes, uint32_t rtt_us) {
    AckSample sample;
    sample.prior_una = cb.snd_una;
    sample.prior_flight = cb.snd_nxt - cb.snd_una;
    sample.acked = sample.delivered = std::min(bytes, sample.prior_flight);
    sample.rtt_us = rtt_us;
    sample.cwnd_limited = limited;
    sample.ece = ece;
    cb.snd_una += sample.acked;
    if (cb.srtt_us == 0) cb.srtt_us = rtt_us * 8;
    const Context ctx = context();
    ObserveAck(cb, tx, sample, ctx);
    if (sample.acked > 0) GrowWindow(cb, tx, sample, ctx);
    if (limited) Fill();
  }

  // One window is acknowledged, evenly over a round trip, by an acknowledgment
  // for each `per_ack` segments.
  void Round(uint32_t rtt_us, uint32_t per_ack = 1) {
    Fill();
    const uint32_t step = per_ack * cb.mss;
    const uint32_t acks = std::max(cb.cwnd / step, 1u);
    const uint64_t start = now_us;
    for (uint32_t i = 1; i <= acks; ++i) {
      now_us = start + uint64_t{rtt_us} * i / acks;
      Ack(step, rtt_us);
    }
  }

  void Event(CongestionEvent event) {
    cb.ssthresh = ThresholdAfter(cb, tx, event, context());
    cb.cwnd = event == CongestionEvent::kTimeout ? cb.mss : cb.ssthresh;
  }

  Config config;
  Counters counters;
  ControlBlock cb;
  SendState tx;
  uint64_t now_us = 0xfffff000;  // the 32-bit clock wraps soon
  bool limited = true;
  bool ece = false;
};

}  // namespace corelane::tcp

#endif  // CORELANE_TESTS_PROTO_TCP_CONGESTION_HARNESS_H_
