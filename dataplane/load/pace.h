// When requests are meant to be sent.
#ifndef CORELANE_DATAPLANE_LOAD_PACE_H_
#define CORELANE_DATAPLANE_LOAD_PACE_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "proto/base/rng.h"
#include "proto/base/time.h"

namespace corelane::dataplane {

// An open schedule: it does not wait for anybody, so that what is late counts
// as late (no coordinated omission).
class Pace {
 public:
  // `per_second` > 0. Evenly, or as independent users would (Poisson).
  Pace(double per_second, bool poisson, uint64_t seed)
      : poisson_(poisson), rng_(seed, 0x9ace) {
    legs_.push_back({0, 0, per_second / 1e9, 0});
  }

  // Instead of one rate several, all above 0: the first for `lead`, and then
  // in `length` each for as long as the others, or, with `ramp`, evenly from
  // the first to the last. Before Start.
  void Follow(const std::vector<double>& rates, bool ramp, Duration lead,
              Duration length) {
    legs_.clear();
    const auto all = static_cast<double>(length.count());
    Add(static_cast<double>(lead.count()), rates.front(), rates.front());
    const size_t legs = rates.size() - (ramp ? 1 : 0);
    for (size_t i = 0; i < legs; ++i) {
      Add(all / static_cast<double>(legs), rates[i], rates[i + (ramp ? 1 : 0)]);
    }
    Add(0, rates.back(), rates.back());  // for ever
  }

  void Start(Time at) {
    start_ = at;
    leg_ = 0;
    count_ = poisson_ ? Gap() : 0;
    Find();
  }
  Time next() const { return start_ + Duration(std::llround(offset_ns_)); }
  // Returns next() and goes on to the one after it.
  Time Take() {
    const Time at = next();
    count_ += poisson_ ? Gap() : 1;
    Find();
    return at;
  }

  // How many are due from next() on and before `end`, if evenly.
  uint64_t DueBefore(Time end) const {
    const auto at = static_cast<double>((end - start_).count());
    size_t leg = leg_;
    while (leg + 1 < legs_.size() && at >= legs_[leg + 1].from_ns) ++leg;
    const Leg& l = legs_[leg];
    const double x = at - l.from_ns;
    const double more = l.from_count + (l.rate + l.growth * x / 2) * x - count_;
    // What rounding has added is no request.
    return more > 0 ? static_cast<uint64_t>(std::ceil(more - 1e-6)) : 0;
  }

 private:
  struct Leg {
    double from_ns;
    double from_count;  // how many were due before
    double rate;        // per nanosecond, at its beginning
    double growth;      // of the rate, per nanosecond
  };

  void Add(double length_ns, double from_rate, double to_rate) {
    const double growth =
        length_ns > 0 ? (to_rate - from_rate) / 1e9 / length_ns : 0;
    if (legs_.empty()) {
      end_ns_ = end_count_ = 0;
    }
    legs_.push_back({end_ns_, end_count_, from_rate / 1e9, growth});
    end_ns_ += length_ns;
    end_count_ += length_ns * (from_rate + to_rate) / 2e9;
  }
  // When the count is reached.
  void Find() {
    while (leg_ + 1 < legs_.size() && count_ >= legs_[leg_ + 1].from_count) {
      ++leg_;
    }
    const Leg& leg = legs_[leg_];
    const double more = count_ - leg.from_count;
    // more = rate x + growth / 2 x^2
    const double root = leg.rate * leg.rate + 2 * leg.growth * more;
    offset_ns_ =
        leg.from_ns + 2 * more / (leg.rate + std::sqrt(std::fmax(root, 0)));
  }
  double Gap() {
    const double u = (static_cast<double>(rng_.Next64() >> 11) + 1) * 0x1p-53;
    return -std::log(u);
  }

  std::vector<Leg> legs_;
  double end_ns_ = 0;  // of the legs so far
  double end_count_ = 0;
  bool poisson_;
  Rng rng_;
  Time start_ = kTimeZero;
  size_t leg_ = 0;
  double count_ = 0;  // of those due before the next
  double offset_ns_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_PACE_H_
