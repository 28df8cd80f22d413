// Sees received frames before the stack does.
#ifndef CORELANE_DATAPLANE_API_FRAME_SINK_H_
#define CORELANE_DATAPLANE_API_FRAME_SINK_H_

#include <cstdint>
#include <span>

#include "dataplane/packet/packet.h"
#include "proto/base/time.h"

namespace corelane::dataplane {

class FrameSink {
 public:
  virtual ~FrameSink() = default;

  // Takes those frames of the burst that it wants, and owns them from then on;
  // moves the others to the front and returns how many they are. Called once
  // per burst, by the core's loop.
  virtual uint32_t OnFrames(uint16_t interface, std::span<Packet*> burst,
                            Time now) = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_API_FRAME_SINK_H_
