// How long things took: a histogram with a relative error below 1 % from a
// nanosecond to over an hour, in fixed memory. (Debian has no HDR histogram for
// C++; the layout is the same, powers of two cut into equal parts.)
#ifndef CORELANE_DATAPLANE_LOAD_HISTOGRAM_H_
#define CORELANE_DATAPLANE_LOAD_HISTOGRAM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/time.h"

namespace corelane::dataplane {

class Histogram {
 public:
  Histogram();

  // Negative values count as 0; those beyond the range as its end.
  void Record(Duration value);
  void Add(const Histogram& other);
  void Clear();

  uint64_t count() const { return count_; }
  Duration max() const { return max_; }
  Duration Mean() const;
  // The smallest recorded value, within the error, that `share` (0..1) of all
  // do not exceed. 0 when empty.
  Duration At(double share) const;

  // The percentile distribution in the format of HdrHistogram (.hgrm), in
  // microseconds.
  std::string ToHgrm() const;

 private:
  static constexpr int kPartBits = 7;  // 128 parts to each power of two
  static constexpr int kMaxBits = 42;  // 73 minutes

  static size_t IndexOf(uint64_t ns);
  static uint64_t HighestOf(size_t index);

  std::vector<uint64_t> cells_;
  uint64_t count_ = 0;
  double sum_ = 0;
  double sum_of_squares_ = 0;
  Duration max_{};
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_HISTOGRAM_H_
