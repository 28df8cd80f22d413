// When requests are meant to be sent.
#ifndef CORELANE_DATAPLANE_LOAD_PACE_H_
#define CORELANE_DATAPLANE_LOAD_PACE_H_

#include <cmath>
#include <cstdint>

#include "proto/base/rng.h"
#include "proto/base/time.h"

namespace corelane::dataplane {

// An open schedule: it does not wait for anybody, so that what is late counts
// as late (no coordinated omission).
class Pace {
 public:
  // `per_second` > 0. Evenly, or as independent users would (Poisson).
  Pace(double per_second, bool poisson, uint64_t seed)
      : interval_ns_(1e9 / per_second), poisson_(poisson), rng_(seed, 0x9ace) {}

  void Start(Time at) {
    start_ = at;
    offset_ns_ = poisson_ ? Gap() : 0;
  }
  Time next() const {
    return start_ + Duration(static_cast<int64_t>(offset_ns_));
  }
  // Returns next() and goes on to the one after it.
  Time Take() {
    const Time at = next();
    offset_ns_ += poisson_ ? Gap() : interval_ns_;
    return at;
  }

 private:
  double Gap() {
    const double u = (static_cast<double>(rng_.Next64() >> 11) + 1) * 0x1p-53;
    return -std::log(u) * interval_ns_;
  }

  double interval_ns_;
  bool poisson_;
  Rng rng_;
  Time start_ = kTimeZero;
  double offset_ns_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_PACE_H_
