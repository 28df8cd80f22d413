// The TCP of a scenario's hosts, and when its numbers wrap.
#ifndef CORELANE_TESTS_SIM_DRAW_TCP_H_
#define CORELANE_TESTS_SIM_DRAW_TCP_H_

#include <cstdint>

#include "proto/tcp/config.h"
#include "tests/sim/dice.h"
#include "tests/sim/scenario.h"

namespace corelane::sim {

// A client's, below those that a host chooses itself.
inline constexpr uint16_t kFixedPort = 5000;

// `rough`: the line is so bad, or so much may break anyway, that a host may
// give up soon.
tcp::Config DrawTcp(Dice& d, bool rough);

// When a world begins: often so that a clock wraps in it.
Time DrawStart(Dice& d);

// In some worlds, moves the start so that a sequence number or a timestamp of
// the first connection wraps soon after it was opened.
void DrawWraps(Dice& d, Scenario& s);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_DRAW_TCP_H_
