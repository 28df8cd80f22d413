// Offloads: what the stack would like against what a device offers.
#ifndef CORELANE_PMD_OFFLOADS_H_
#define CORELANE_PMD_OFFLOADS_H_

#include <cstdint>
#include <string>

namespace corelane::pmd {

// What a port does for us. Whatever is false, the stack does in software.
struct Offloads {
  // The device *may* verify: only ol_flags say whether it did for one packet,
  // and RTE_MBUF_F_RX_*_CKSUM_UNKNOWN must be verified in software.
  bool rx_ipv4_checksum = false;
  bool rx_tcp_checksum = false;
  bool rx_udp_checksum = false;
  bool rx_scatter = false;  // frames larger than a packet arrive as chains
  bool tx_ipv4_checksum = false;
  bool tx_tcp_checksum = false;
  bool tx_udp_checksum = false;
  bool tx_multi_segs = false;  // chains can be sent
  bool tx_tcp_tso = false;     // cuts large TCP segments

  friend bool operator==(const Offloads&, const Offloads&) = default;
};

// RTE_ETH_RX_OFFLOAD_* and RTE_ETH_TX_OFFLOAD_* to configure a port with.
struct OffloadMasks {
  uint64_t rx = 0;
  uint64_t tx = 0;
};

// Everything wanted that is offered; TSO only with what it needs beside it.
// Never RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE:
// it lets the driver ignore reference counts, and the stack keeps
// unacknowledged packets alive by them.
OffloadMasks ChooseOffloads(const OffloadMasks& offered, bool wants_scatter,
                            bool wants_tso = true);

// The meaning of chosen masks.
Offloads DescribeOffloads(const OffloadMasks& chosen);

// Whether a driver ("net_tap") takes bytes to send from wherever they lie. True
// of those that copy them; a NIC, or the other end of a virtio ring, sees
// packet memory only, as nothing else is mapped for it.
bool SendsAnyMemory(const std::string& driver);

// "rx cksum ip,tcp,udp; tx cksum ip,tcp; multi-segment; in software: tx udp".
std::string ToString(const Offloads& offloads);

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_OFFLOADS_H_
