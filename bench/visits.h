// Connections in random order, each as often as the others, and none twice in
// a burst: what a server with many clients sees.
#ifndef CORELANE_BENCH_VISITS_H_
#define CORELANE_BENCH_VISITS_H_

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "proto/base/rng.h"

namespace corelane::bench {

class Visits {
 public:
  explicit Visits(uint32_t count) : order_(count) {
    std::iota(order_.begin(), order_.end(), 0u);
    Rng rng(1);
    for (uint32_t i = count; i > 1; --i) {
      std::swap(order_[i - 1], order_[rng.Below(i)]);
    }
  }

  uint32_t Next() {
    if (at_ == order_.size()) at_ = 0;
    return order_[at_++];
  }

 private:
  std::vector<uint32_t> order_;
  size_t at_ = 0;
};

}  // namespace corelane::bench

#endif  // CORELANE_BENCH_VISITS_H_
