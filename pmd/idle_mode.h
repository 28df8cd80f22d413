// How a core waits when there is nothing to do.
#ifndef CORELANE_PMD_IDLE_MODE_H_
#define CORELANE_PMD_IDLE_MODE_H_

#include <cstdint>

namespace corelane::pmd {

enum class IdleMode : uint8_t {
  kSpin,      // never sleeps: lowest latency, one core at 100 %
  kAdaptive,  // spins a little, then sleeps until a packet or a deadline
};

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_IDLE_MODE_H_
