#include "dataplane/flow/profiles.h"

namespace corelane::dataplane {

Profiles::Profiles(const tcp::Config& defaults, uint16_t capacity)
    : all_(capacity) {
  all_[kDefault] = {defaults, 1};
}

uint16_t Profiles::Acquire(const tcp::Config& options) {
  uint16_t free = kNone;
  const auto count = static_cast<uint16_t>(all_.size());
  for (uint16_t i = 0; i < count; ++i) {
    Profile& profile = all_[i];
    if (profile.references == 0) {
      if (free == kNone) free = i;
    } else if (profile.options == options) {
      AddReference(i);
      return i;
    }
  }
  if (free != kNone) all_[free] = {options, 1};
  return free;
}

uint16_t Profiles::in_use() const {
  uint16_t count = 0;
  for (const Profile& profile : all_) count += profile.references > 0 ? 1 : 0;
  return count;
}

}  // namespace corelane::dataplane
