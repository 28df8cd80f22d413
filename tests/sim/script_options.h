// TCP options as scripts write them: <mss 1460,sackOK,ts 100 ecr 0,nop,wscale
// 7>
//
//   mss N, wscale N, sackOK, nop, eol
//   ts VAL ecr ECR      the stack's timestamps count from its first one, the
//                       peer's are as they stand. `ecr last`: the latest TSval
//                       of the stack. `*` for any value, when expected.
//   sack A:B [C:D ...]  sequence numbers count from the SYN of whose they are
//   hexadecimal bytes   as they are
//
// With blanks or with = between a name and its number.
#ifndef CORELANE_TESTS_SIM_SCRIPT_OPTIONS_H_
#define CORELANE_TESTS_SIM_SCRIPT_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/bytes.h"

namespace corelane::sim {

struct OptionText {
  enum class Kind : uint8_t {
    kMss,
    kWindowScale,
    kSackPermitted,
    kTimestamps,
    kSack,
    kNop,
    kEnd,
    kRaw,
  };
  Kind kind = Kind::kRaw;
  // The number, or TSval and TSecr. Empty: any; as TSecr to be sent: the last.
  std::optional<uint32_t> value;
  std::optional<uint32_t> echo;
  std::vector<std::pair<uint32_t, uint32_t>> blocks;
  std::vector<uint8_t> raw;
};

// What relative numbers in options count from.
struct OptionBases {
  uint32_t sequence = 0;    // ISN of the side whose data SACK blocks name
  uint32_t timestamp = 0;   // the stack's first TSval
  uint32_t last_value = 0;  // the stack's latest TSval
  bool echoes = true;       // ECR is the stack's number, not a plain 0
};

// `text` is what stands between the angle brackets. Returns what is wrong.
std::string ParseOptionText(const std::string& text,
                            std::vector<OptionText>& out);

// The bytes to inject; without padding at the end.
std::vector<uint8_t> OptionBytesOf(const std::vector<OptionText>& options,
                                   const OptionBases& bases);

// What the stack sent, in the same words; NOP and EOL left out.
std::string DescribeOptions(ByteView bytes, const OptionBases& bases);

// Whether the stack sent just these options, in any order; NOPs and what
// follows EOL do not count. The stack's TSval may be off by one, as times may.
bool OptionsMatch(const std::vector<OptionText>& want, ByteView sent,
                  const OptionBases& bases);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCRIPT_OPTIONS_H_
