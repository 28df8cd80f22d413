// Time in a control block's units: 32 bits each, compared modulo 2^32.
#ifndef CORELANE_PROTO_TCP_CLOCK_H_
#define CORELANE_PROTO_TCP_CLOCK_H_

#include <cstdint>

#include "proto/base/time.h"

namespace corelane::tcp {

// The unit of deadlines: 2^16 ns = 65.5 us. Deadlines up to 39 hours away can
// be told from ones that have passed.
using Tick = uint32_t;
inline constexpr int kTickShift = 16;

constexpr bool TickBefore(Tick a, Tick b) {
  return static_cast<int32_t>(a - b) < 0;
}
// Rounded up; what is longer than can be told apart counts as 39 hours.
constexpr Tick ToTicks(Duration d) {
  const int64_t ticks = (d.count() + (1 << kTickShift) - 1) >> kTickShift;
  return ticks > 0x7fffffff ? 0x7fffffff : static_cast<Tick>(ticks);
}
// Microseconds, rounded up.
constexpr Tick MicrosToTicks(uint32_t us) {
  return static_cast<Tick>((uint64_t{us} * 1000 + (1 << kTickShift) - 1) >>
                           kTickShift);
}
constexpr uint32_t ToMicros(Duration d) {
  return static_cast<uint32_t>(d.count() / 1000);
}

// One reading of the loop's clock, converted once per turn of the loop.
struct Now {
  Tick tick = 0;
  uint32_t us = 0;  // for round-trip times; wraps after 71 minutes
  uint32_t ms = 0;  // for timestamps (RFC 7323); wraps after 49 days

  Now() = default;
  explicit Now(Time time)
      : tick(static_cast<Tick>(time.time_since_epoch().count() >> kTickShift)),
        us(static_cast<uint32_t>(time.time_since_epoch().count() / 1000)),
        ms(static_cast<uint32_t>(time.time_since_epoch().count() / 1000000)) {}
};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CLOCK_H_
