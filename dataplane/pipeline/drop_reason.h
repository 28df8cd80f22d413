// Why a received packet was dropped. Every packet that comes in is delivered or
// has one of these: received = delivered + sum of drops.
#ifndef CORELANE_DATAPLANE_PIPELINE_DROP_REASON_H_
#define CORELANE_DATAPLANE_PIPELINE_DROP_REASON_H_

#include <cstddef>
#include <cstdint>

namespace corelane::dataplane {

// The name (as `corelane stats` prints it) and what it means.
#define CORELANE_DROP_REASONS(X)                                               \
  X(kEthernetTruncated, "eth_truncated", "shorter than an Ethernet header")    \
  X(kEthernetNotForUs, "eth_not_for_us", "for another MAC address")            \
  X(kEthernetBadSource, "eth_bad_source", "sent from a group MAC address")     \
  X(kEthernetLlc, "eth_802_3_llc", "IEEE 802.3 length field, LLC frame")       \
  X(kEthernetBadLength, "eth_bad_length",                                      \
    "neither an EtherType nor an 802.3 length")                                \
  X(kEthernetUnknownType, "eth_unknown_type",                                  \
    "an EtherType that is not spoken here")                                    \
  X(kEthernetVlan, "eth_vlan", "a VLAN that is not ours, or a second tag")     \
  X(kScattered, "scattered", "in more segments than one buffer holds")         \
  X(kArpMalformed, "arp_malformed", "not Ethernet/IPv4 ARP, or cut off")       \
  X(kArpNotForUs, "arp_not_for_us", "for another host")                        \
  X(kIpv4Truncated, "ipv4_truncated", "shorter than its header says")          \
  X(kIpv4BadHeader, "ipv4_bad_header", "version, header or total length")      \
  X(kIpv4BadChecksum, "ipv4_bad_checksum", "header checksum")                  \
  X(kIpv4BadOption, "ipv4_bad_option", "malformed options")                    \
  X(kIpv4SourceRoute, "ipv4_source_route", "source routing is refused")        \
  X(kIpv4BadSource, "ipv4_bad_source",                                         \
    "multicast, broadcast, loopback or our own source address")                \
  X(kIpv4NotForUs, "ipv4_not_for_us", "for another address")                   \
  X(kIpv4OtherPort, "ipv4_other_port",                                         \
    "for an address of ours that another port has (see --weak-host)")          \
  X(kIpv4UnknownProtocol, "ipv4_unknown_protocol",                             \
    "neither ICMP, TCP nor UDP")                                               \
  X(kFragmentBad, "fragment_bad", "overlapping, past 64 KiB or misaligned")    \
  X(kFragmentDuplicate, "fragment_duplicate", "had arrived already")           \
  X(kFragmentNoRoom, "fragment_no_room", "reassembly limits")                  \
  X(kFragmentTimeout, "fragment_timeout", "the rest never came")               \
  X(kIcmpMalformed, "icmp_malformed", "cut off or unknown form")               \
  X(kIcmpBadChecksum, "icmp_bad_checksum", "ICMP checksum")                    \
  X(kIcmpIgnored, "icmp_ignored", "a type or target that is not served")       \
  X(kUdpMalformed, "udp_malformed", "length field")                            \
  X(kUdpBadChecksum, "udp_bad_checksum", "UDP checksum")                       \
  X(kUdpNoSocket, "udp_no_socket", "no socket on that port")                   \
  X(kTcpMalformed, "tcp_malformed", "cut off, or bad data offset")             \
  X(kTcpBadChecksum, "tcp_bad_checksum", "TCP checksum")                       \
  X(kTcpBadAddress, "tcp_bad_address",                                         \
    "broadcast, multicast or our own address as peer")                         \
  X(kTcpNoSocket, "tcp_no_socket", "no connection and no listener")            \
  X(kTcpStraySyn, "tcp_bad_syn", "SYN with FIN or RST")                        \
  X(kTcpBacklog, "tcp_backlog_full", "listener's queue of requests is full")   \
  X(kTcpNoMemory, "tcp_no_memory", "control blocks or records exhausted")      \
  X(kTcpReorderFull, "tcp_reorder_full", "too much waits behind a gap")        \
  X(kTcpUnwanted, "tcp_unwanted", "payload old, duplicate or past the window") \
  X(kNeighborQueueFull, "neighbor_queue_full",                                 \
    "too much waits for one MAC address")                                      \
  X(kNeighborUnreachable, "neighbor_unreachable", "no ARP reply")              \
  X(kNoRoute, "no_route", "no route to the destination")                       \
  X(kNoPacket, "no_packet", "packet pool exhausted")                           \
  X(kTxFull, "tx_full", "transmit queue full")                                 \
  X(kSteeringFull, "steering_full", "the owning core's mailbox is full")       \
  X(kApplication, "application", "the application did not take it")

enum class DropReason : uint8_t {
#define X(id, name, text) id,
  CORELANE_DROP_REASONS(X)
#undef X
      kCount
};

inline constexpr size_t kDropReasonCount =
    static_cast<size_t>(DropReason::kCount);

// "udp_no_socket"
const char* DropReasonName(DropReason reason);
// "no socket on that port"
const char* DropReasonText(DropReason reason);

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_DROP_REASON_H_
