// pcapng, as Wireshark and tcpdump read it.
//
// libpcap writes only the older format, which has no place for several
// interfaces or directions.
#ifndef CORELANE_DATAPLANE_INSPECT_PCAPNG_H_
#define CORELANE_DATAPLANE_INSPECT_PCAPNG_H_

#include <span>
#include <string>

#include "dataplane/runtime/capture_ring.h"

namespace corelane::inspect {

// What a file begins with: a section header, and a description of each
// interface, which packets name by its place in the list.
std::string PcapngHead(std::span<const std::string> interfaces);

// A packet, with its direction.
std::string PcapngPacket(const runtime::CapturedPacket& packet);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_PCAPNG_H_
