// Reads a capture into memory, to be sent again.
#ifndef CORELANE_DATAPLANE_CLI_REPLAY_FILE_H_
#define CORELANE_DATAPLANE_CLI_REPLAY_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "dataplane/load/frame_tape.h"

namespace corelane::cli {

inline constexpr uint64_t kMostReplayMemory = uint64_t{1} << 30;

struct ReplayFileOptions {
  uint16_t mtu = 1500;
  uint64_t memory = kMostReplayMemory;  // bytes that the frames may take
  // Leaves out the frames that cannot be sent as they were, instead of refusing
  // the file.
  bool skip_unfit = false;
};

struct ReplayFile {
  std::shared_ptr<const dataplane::FrameTape> tape;  // at least one frame
  // Frames that were left out: not captured in full, longer than the MTU
  // allows, shorter than an Ethernet header.
  uint64_t cut = 0;
  uint64_t too_long = 0;
  uint64_t too_short = 0;
  // It ends in the middle of a frame; what is in front of that is here.
  bool cut_off = false;

  uint64_t left_out() const { return cut + too_long + too_short; }
};

// pcap (of micro- or nanoseconds, in either byte order) or pcapng, of Ethernet;
// "-" is the standard input. The error is one line that begins with `path`.
absl::StatusOr<ReplayFile> ReadReplayFile(const std::string& path,
                                          const ReplayFileOptions& options);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_REPLAY_FILE_H_
