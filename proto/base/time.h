// Time as the protocols see it: an argument, never something they read.
#ifndef CORELANE_PROTO_BASE_TIME_H_
#define CORELANE_PROTO_BASE_TIME_H_

#include <chrono>
#include <cstdint>

namespace corelane {

using Duration = std::chrono::nanoseconds;

// A clock that nobody can read: it has no now(). Whoever runs the loop reads a
// real or a virtual clock once and passes the result down.
struct LoopClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
};

// Nanoseconds since an arbitrary origin (process start, or 0 in a simulation).
using Time = std::chrono::time_point<LoopClock, Duration>;

inline constexpr Time kTimeZero{};
// "Never": later than every deadline.
inline constexpr Time kTimeNever = Time::max();

using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

}  // namespace corelane

#endif  // CORELANE_PROTO_BASE_TIME_H_
