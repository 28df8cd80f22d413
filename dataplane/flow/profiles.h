// The sets of TCP options in use on a core.
//
// Most connections run with the stack's defaults, and most of the others share
// a few sets that their listener or program chose. A control block therefore
// names its set by a small number, its profile, instead of carrying it.
#ifndef CORELANE_DATAPLANE_FLOW_PROFILES_H_
#define CORELANE_DATAPLANE_FLOW_PROFILES_H_

#include <cstdint>
#include <vector>

#include "proto/tcp/config.h"

namespace corelane::dataplane {

class Profiles {
 public:
  // The stack's own options; always there.
  static constexpr uint16_t kDefault = 0;
  static constexpr uint16_t kNone = 0xffff;

  // `capacity` sets at most, the defaults included; below kNone.
  explicit Profiles(const tcp::Config& defaults, uint16_t capacity = 256);

  const tcp::Config& operator[](uint16_t profile) const {
    return all_[profile].options;
  }

  // A profile with these options, found or made, and one reference to it; kNone
  // if there is none and no room for one.
  uint16_t Acquire(const tcp::Config& options);
  // Every reference is given back with one Release. kDefault is not counted.
  void AddReference(uint16_t profile) {
    if (profile != kDefault) ++all_[profile].references;
  }
  void Release(uint16_t profile) {
    if (profile != kDefault) --all_[profile].references;
  }

  // How many are in use, the defaults included.
  uint16_t in_use() const;

 private:
  struct Profile {
    tcp::Config options;
    uint32_t references = 0;  // 0: free
  };

  // Of full size from the start: references to options stay valid.
  std::vector<Profile> all_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_PROFILES_H_
