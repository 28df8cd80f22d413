// What must be true of a host after each of its turns.
#ifndef CORELANE_TESTS_SIM_ORACLE_H_
#define CORELANE_TESTS_SIM_ORACLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/node.h"

namespace corelane::sim {

class Oracle {
 public:
  // Empty, or what is wrong.
  std::string Check(const Node& node);

  // Empty, or what is left over when nothing is under way any more: packets
  // that did not come back, records in use, counters that do not add up.
  static std::string CheckAtRest(Node& node);

  // The live control blocks, one per line, for people.
  static std::string Describe(const Node& node);

 private:
  // Of one core.
  struct Progress {
    uint32_t next = 0;  // the record that is to be looked at next
    uint32_t live = 0;  // that were seen since the first one
  };

  static std::string DescribeCore(const dataplane::TcpLayer& tcp);
  static std::string CheckBlocks(const dataplane::TcpLayer& tcp,
                                 Progress& progress);

  std::vector<Progress> progress_;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_ORACLE_H_
