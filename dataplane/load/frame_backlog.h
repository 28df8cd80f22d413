// Frames that wait for room in a device's queue, in order.
#ifndef CORELANE_DATAPLANE_LOAD_FRAME_BACKLOG_H_
#define CORELANE_DATAPLANE_LOAD_FRAME_BACKLOG_H_

#include <cstddef>
#include <vector>

#include "dataplane/packet/packet.h"

namespace corelane::dataplane {

class FrameBacklog {
 public:
  // More than a device's rings hold: while the other side takes nothing, no
  // more than that can come that has to be answered.
  static constexpr size_t kCapacity = 4096;

  FrameBacklog() : frames_(kCapacity) {}

  bool empty() const { return count_ == 0; }
  // False if it is full.
  bool Push(Packet* frame) {
    if (count_ == kCapacity) return false;
    frames_[(first_ + count_++) % kCapacity] = frame;
    return true;
  }
  // The first one; there is one.
  Packet* Front() const { return frames_[first_]; }
  void Pop() {
    first_ = (first_ + 1) % kCapacity;
    --count_;
  }

 private:
  std::vector<Packet*> frames_;
  size_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_FRAME_BACKLOG_H_
