// `corelane blast pps`: its flags and its report.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_PACKETS_H_
#define CORELANE_DATAPLANE_CLI_BLAST_PACKETS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/cli/blast_flags.h"
#include "dataplane/cli/blast_report.h"
#include "dataplane/runtime/options.h"

namespace corelane::cli {

// Without --addr and --target: of the networks that RFC 2544 keeps for this.
inline constexpr char kPacketSource[] = "198.18.0.1/24";

// "1.488 Mpps".
std::string PacketRateText(double per_second);
// What frames of `bytes` bytes without FCS take on the wire, with preamble and
// gaps; per second.
double WireBits(uint64_t frames, uint64_t bytes, Duration lasted);
// "sent         10, 5 pps, 0.1 Mbit/s on the wire\n".
std::string PacketRow(const char* name, uint64_t frames, uint64_t bytes,
                      Duration lasted);

// Of --dst-mac.
absl::StatusOr<MacAddress> ParseTargetMac(const std::string& text);

std::string DescribePackets(const BlastPlan& plan);

// What only device and addresses together tell: sizes against the MTU, flows
// against ports.
absl::Status CheckPackets(const BlastPlan& plan,
                          const runtime::RuntimeOptions& options);

// Of probes that were to come back, where a single load can't tell: what was
// sent and did not. Once, at the end.
void CountLost(const BlastPlan& plan, size_t cores, BlastResults& results);

std::string PacketTable(const BlastPlan& plan, const BlastResults& results);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_PACKETS_H_
