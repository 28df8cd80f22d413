// Frames in memory, with the times at which they are to be sent.
#ifndef CORELANE_DATAPLANE_LOAD_FRAME_TAPE_H_
#define CORELANE_DATAPLANE_LOAD_FRAME_TAPE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/time.h"

namespace corelane::dataplane {

class FrameTape {
 public:
  struct Frame {
    Duration at;  // since the first one; never before the frame in front of it
    const uint8_t* data;  // lives as long as the tape
    uint16_t length;      // without FCS, at least 60
  };

  FrameTape() = default;
  FrameTape(FrameTape&&) = default;
  FrameTape& operator=(FrameTape&&) = default;

  // Copies a frame of 1 to 65,535 bytes without FCS; a short one is padded with
  // zeros, as a card does it. `at` counts from any origin: the first frame's is
  // taken for 0, and one that goes back for that of the frame before.
  void Append(Duration at, ByteView bytes);

  bool empty() const { return frames_.empty(); }
  size_t size() const { return frames_.size(); }
  const Frame& operator[](size_t i) const { return frames_[i]; }

  // When the last one is to be sent.
  Duration length() const { return empty() ? 0ns : frames_.back().at; }
  // How many are to be sent before `at`.
  size_t CountBefore(Duration at) const;
  uint64_t bytes() const { return bytes_; }    // of all frames
  uint64_t memory() const;                     // that they take
  uint64_t padded() const { return padded_; }  // that were short
  uint64_t backwards() const { return backwards_; }

 private:
  uint8_t* Room(size_t n);

  std::vector<Frame> frames_;
  std::vector<std::unique_ptr<uint8_t[]>> chunks_;
  size_t left_ = 0;  // in the last chunk
  Duration first_{};
  uint64_t bytes_ = 0;
  uint64_t padded_ = 0;
  uint64_t backwards_ = 0;  // whose time was before that of the one in front
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_FRAME_TAPE_H_
