#include "dataplane/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "absl/strings/str_format.h"

namespace corelane::dataplane {

Histogram::Histogram()
    : cells_(IndexOf((uint64_t{1} << kMaxBits) - 1) + 1, 0) {}

size_t Histogram::IndexOf(uint64_t ns) {
  const auto bits = static_cast<int>(std::bit_width(ns));
  const int shift = std::max(bits - kPartBits - 1, 0);
  return (static_cast<size_t>(shift) << kPartBits) +
         static_cast<size_t>(ns >> shift);
}

uint64_t Histogram::HighestOf(size_t index) {
  constexpr size_t kParts = size_t{1} << kPartBits;
  if (index < 2 * kParts) return index;
  const size_t shift = index / kParts - 1;
  return ((kParts + index % kParts + 1) << shift) - 1;
}

void Histogram::Record(Duration value) {
  constexpr int64_t kEnd = (int64_t{1} << kMaxBits) - 1;
  const int64_t ns = std::clamp<int64_t>(value.count(), 0, kEnd);
  ++cells_[IndexOf(static_cast<uint64_t>(ns))];
  ++count_;
  const auto x = static_cast<double>(ns);
  sum_ += x;
  sum_of_squares_ += x * x;
  max_ = std::max(max_, Duration(ns));
}

void Histogram::Add(const Histogram& other) {
  for (size_t i = 0; i < cells_.size(); ++i) cells_[i] += other.cells_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  sum_of_squares_ += other.sum_of_squares_;
  max_ = std::max(max_, other.max_);
}

void Histogram::Clear() { *this = Histogram(); }

Duration Histogram::Mean() const {
  if (count_ == 0) return Duration();
  return Duration(static_cast<int64_t>(sum_ / static_cast<double>(count_)));
}

Duration Histogram::At(double share) const {
  if (count_ == 0) return Duration();
  const double wanted = std::ceil(share * static_cast<double>(count_));
  const auto rank =
      std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, count_);
  uint64_t seen = 0;
  for (size_t i = 0; i < cells_.size(); ++i) {
    seen += cells_[i];
    if (seen < rank) continue;
    return std::min(Duration(static_cast<int64_t>(HighestOf(i))), max_);
  }
  return max_;
}

std::string Histogram::ToHgrm() const {
  auto us = [](Duration d) { return static_cast<double>(d.count()) / 1e3; };
  std::string text =
      absl::StrFormat("%12s %14s %10s %14s\n\n", "Value", "Percentile",
                      "TotalCount", "1/(1-Percentile)");
  const auto total = static_cast<double>(count_);
  // Five steps for each halving of what is left.
  double share = 0;
  for (double left = 1; count_ > 0 && left * total > 0.5; left /= 2) {
    for (int step = 0; step < 5; ++step) {
      share = 1 - left + left / 2 * step / 5;
      const double counted = std::ceil(share * total);
      text +=
          absl::StrFormat("%12.3f %2.12f %10d %14.2f\n", us(At(share)), share,
                          static_cast<uint64_t>(counted), 1 / (1 - share));
    }
  }
  text += absl::StrFormat("%12.3f %2.12f %10d\n", us(max_), 1.0, count_);
  const double mean = us(Mean());
  const double variance =
      count_ == 0 ? 0 : sum_of_squares_ / total / 1e6 - mean * mean;
  text += absl::StrFormat(
      "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n"
      "#[Max     = %12.3f, Total count    = %12d]\n"
      "#[Buckets = %12d, SubBuckets     = %12d]\n",
      mean, std::sqrt(std::max(variance, 0.0)), us(max_), count_,
      kMaxBits - kPartBits, 1 << kPartBits);
  return text;
}

}  // namespace corelane::dataplane
