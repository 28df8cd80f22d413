#include "proto/tcp/cubic.h"

#include <algorithm>

#include "proto/tcp/cubic_curve.h"
#include "proto/tcp/reno_growth.h"
#include "proto/tcp/scaled_growth.h"

namespace corelane::tcp {
namespace {

// Not the end of what the curve can tell apart, but behind it.
constexpr uint32_t kMaxElapsedUs = 2'000'000'000;

uint32_t AddElapsed(uint32_t elapsed, uint32_t us) {
  return std::min(elapsed, kMaxElapsedUs) + std::min(us, kMaxElapsedUs);
}

// The congestion avoidance stage begins (section 4.2).
void StartStage(const ControlBlock& cb, CubicState& cubic) {
  CubicEpoch& now = cubic.now;
  // Without a congestion event (section 4.10: HyStart++ has ended slow start),
  // after a timeout (section 4.8) and where the window is larger than W_max
  // already, the curve begins at its plateau.
  if (now.w_max == 0) now.cwnd_prior = cb.cwnd;
  if (cubic.after_timeout || now.w_max <= cb.cwnd) {
    now.w_max = cb.cwnd;
    now.k = 0;
  } else {
    now.k = CubicRise(now.w_max - cb.cwnd, cb.mss);
  }
  now.w_est = cb.cwnd;
  now.elapsed_us = 0;
  cubic.w_est_fraction = 0;
  cubic.after_timeout = false;
  cubic.running = true;
}

// Section 4.3: alpha_cubic = 3 * (1 - beta) / (1 + beta) = 9/17 gives Reno's
// average window at this beta; from where Reno would be at the size of the
// last event, it is Reno's own growth.
void GrowEstimate(uint32_t cwnd, uint32_t mss, CubicState& cubic,
                  uint32_t acked) {
  const bool reached = cubic.now.w_est >= cubic.now.cwnd_prior;
  const uint32_t numerator = reached ? 1 : 9;
  const uint32_t denominator = reached ? 1 : 17;
  AddScaled(cubic.now.w_est, cubic.w_est_fraction,
            uint64_t{acked} * mss * numerator, uint64_t{cwnd} * denominator);
}

}  // namespace

void ObserveCubic(const ControlBlock& cb, CubicState& cubic,
                  const AckSample& sample, uint32_t now_us) {
  const uint32_t since = now_us - cubic.ack_us;
  cubic.ack_us = now_us;
  if (!sample.cwnd_limited) return;
  // In a window that is in use something is always in flight, so two
  // acknowledgments are never further apart than the round trip that the second
  // one has measured. What is more has passed without anything to send. (And
  // after 71 minutes of it `since` has wrapped.)
  const uint32_t rtt = sample.rtt_us > 0 ? sample.rtt_us : cb.srtt_us >> 3;
  const uint32_t used = std::min(since, rtt);
  cubic.now.elapsed_us = AddElapsed(cubic.now.elapsed_us, used);
  // An undo puts back an epoch that has gone on meanwhile.
  cubic.before.elapsed_us = AddElapsed(cubic.before.elapsed_us, used);
}

void GrowCubic(ControlBlock& cb, SendState& tx, uint32_t acked) {
  CubicState& cubic = tx.congestion.cubic;
  const uint32_t mss = std::max<uint32_t>(cb.mss, 1);
  const uint32_t cwnd = std::clamp(cb.cwnd, mss, kMaxCwnd);
  cb.cwnd = cwnd;
  if (!cubic.running) StartStage(cb, cubic);
  acked = std::min(acked, cwnd);
  GrowEstimate(cwnd, mss, cubic, acked);

  const CubicEpoch& now = cubic.now;
  const CurveTime t = ToCurveTime(now.elapsed_us);
  if (CubicWindow(now.w_max, now.k, t, mss) < now.w_est) {
    // The Reno-friendly region. The window has been following the curve of a
    // round trip ahead, so it may be larger; that is not taken back.
    cb.cwnd = std::max(cwnd, now.w_est);
    return;
  }
  // Sections 4.2, 4.4 and 4.5: a round trip's worth of growth towards where the
  // curve will be by then.
  const CurveTime ahead =
      ToCurveTime(uint64_t{now.elapsed_us} + (cb.srtt_us >> 3));
  const uint64_t curve = CubicWindow(now.w_max, now.k, ahead, mss);
  const uint64_t target = std::clamp<uint64_t>(curve, cwnd, cwnd + cwnd / 2);
  AddScaled(cb.cwnd, tx.congestion.cwnd_fraction, (target - cwnd) * acked,
            cwnd);
}

uint32_t CubicThreshold(const ControlBlock& cb, CubicState& cubic,
                        CongestionEvent event) {
  cubic.before = cubic.now;
  cubic.before_running = cubic.running;
  CubicEpoch& now = cubic.now;
  const uint32_t cwnd = std::min(cb.cwnd, kMaxCwnd);
  // Fast convergence (section 4.7): a flow that did not get back to W_max has a
  // new competitor, and leaves it room. cwnd * (1 + beta) / 2.
  now.w_max =
      cwnd < now.w_max ? static_cast<uint32_t>(uint64_t{cwnd} * 17 / 20) : cwnd;
  now.cwnd_prior = cwnd;
  cubic.running = false;
  cubic.after_timeout = event == CongestionEvent::kTimeout;
  const uint64_t reduced = uint64_t{cwnd} * 7 / 10;
  return std::max(static_cast<uint32_t>(reduced), LeastThreshold(cb));
}

void UndoCubic(CubicState& cubic) {
  cubic.now = cubic.before;
  cubic.running = cubic.before_running;
  cubic.after_timeout = false;
  cubic.w_est_fraction = 0;
}

}  // namespace corelane::tcp
