// Packets between packetdrill, which sends and takes bare IP packets, and the
// stack's card, which takes Ethernet frames of ordinary size.
#ifndef CORELANE_TESTS_PACKETDRILL_SEGMENTS_H_
#define CORELANE_TESTS_PACKETDRILL_SEGMENTS_H_

#include <vector>

#include "proto/base/bytes.h"
#include "tests/sim/frames.h"

namespace corelane::packetdrill {

// Frames for one IPv4 packet of any size. A TCP segment with more than
// `max_payload` is cut as the sender's network card would have been asked to do
// it: the same header on all pieces, SYN and CWR on the first only, PSH and FIN
// on the last only.
std::vector<sim::Frame> ToFrames(ByteView packet, size_t max_payload,
                                 const MacAddress& from, const MacAddress& to);

}  // namespace corelane::packetdrill

#endif  // CORELANE_TESTS_PACKETDRILL_SEGMENTS_H_
