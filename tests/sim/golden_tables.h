// How fast and how fair the stack is on a few plain lines, in virtual time.
#ifndef CORELANE_TESTS_SIM_GOLDEN_TABLES_H_
#define CORELANE_TESTS_SIM_GOLDEN_TABLES_H_

#include <string>

namespace corelane::sim {

// Mbit/s of one transfer, by congestion control, round-trip time and loss.
std::string GoodputTable();
// Jain's index of flows that share a bottleneck, and how much of it they use.
std::string FairnessTable();
// Mbit/s of two flows with different congestion control over one bottleneck.
std::string SharingTable();
// Milliseconds that a transfer takes if certain segments of it are lost.
std::string RecoveryTable();

std::string GoldenTables();

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_GOLDEN_TABLES_H_
