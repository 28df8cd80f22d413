// To which core a received frame belongs.
#ifndef CORELANE_DATAPLANE_STEERING_CLASSIFY_H_
#define CORELANE_DATAPLANE_STEERING_CLASSIFY_H_

#include <cstdint>

#include "dataplane/flow/flow_map.h"
#include "dataplane/packet/packet.h"

namespace corelane::dataplane {

enum class FrameKind : uint8_t {
  kFlow,      // a TCP segment or UDP datagram in one piece: its flow's owner
  kFragment,  // of an IPv4 datagram: where all of its fragments meet
  kError,     // an ICMP error: the owner of the flow that it quotes
  kAnyone,    // whoever received it may deal with it
};

struct Classified {
  FrameKind kind = FrameKind::kAnyone;
  uint16_t owner = 0;  // unless kAnyone
};

// `frame` starts at its Ethernet header, and may be anything. Nothing of it is
// validated: that is up to the core that gets it. What cannot be read is
// anyone's.
Classified Classify(const Packet* frame, const FlowMap& map);

// What Classify would call kFlow and nearly every frame is: untagged, no
// options, in one segment.
inline bool IsPlainFlow(const Packet* frame) {
  constexpr uint16_t kIpv4 = 0x0800;
  if (frame->data_len < 14 + 20 + 4) return false;
  const uint8_t* p = DataOf(frame);
  return LoadBe16(p + 12) == kIpv4 && p[14] == 0x45 &&
         (LoadBe16(p + 20) & 0x3fff) == 0 && (p[23] == 6 || p[23] == 17);
}

// The owner of a reassembled datagram's flow; `self` where ports do not matter.
uint16_t OwnerOfDatagram(uint8_t protocol, uint32_t source,
                         uint32_t destination, ByteView payload,
                         const FlowMap& map, uint16_t self);

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_STEERING_CLASSIFY_H_
