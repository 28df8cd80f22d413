#include "dataplane/steering/rebalancer.h"

#include <algorithm>

namespace corelane::dataplane {

Rebalancer::Rebalancer(CoreGroup* group, uint16_t self)
    : group_(*group), self_(self), seen_(group->cores(), 0) {}

std::optional<Rebalancer::Shift> Rebalancer::Look(Time now, uint64_t segments,
                                                  uint32_t active) {
  // Busier than the mean by a quarter.
  constexpr uint64_t kMuch = 4;
  // Of many connections only half of what seems right at once: they differ.
  constexpr uint64_t kMany = 16;
  group_.NoteSegments(self_, segments);
  if (now < next_) return std::nullopt;
  // The first look only begins, and one after a long sleep begins again.
  const bool begins = next_ == kTimeZero || now >= next_ + 4 * kInterval;
  next_ = now + kInterval;
  uint64_t sum = 0;
  uint64_t least = UINT64_MAX;
  uint64_t mine = 0;
  uint16_t to = self_;
  for (uint16_t core = 0; core < group_.cores(); ++core) {
    const uint64_t total = group_.Segments(core);
    const uint64_t n = total - seen_[core];
    seen_[core] = total;
    sum += n;
    if (core == self_) mine = n;
    if (core != self_ && n < least && group_.Room(core) > 0) {
      least = n;
      to = core;
    }
  }
  const uint64_t mean = sum / group_.cores();
  if (begins || to == self_ || mine < kLeastSegments ||
      mine <= mean + mean / kMuch) {
    return Shift{self_, 0};
  }
  const uint64_t excess = std::min(mine - mean, mean - std::min(mean, least));
  uint64_t connections = active * excess / mine;
  if (connections > kMany) connections /= 2;
  return Shift{to, static_cast<uint32_t>(connections)};
}

}  // namespace corelane::dataplane
