// What one core counts. Plain integers that only it writes.
#ifndef CORELANE_DATAPLANE_PIPELINE_COUNTERS_H_
#define CORELANE_DATAPLANE_PIPELINE_COUNTERS_H_

#include <array>
#include <cstdint>

#include "dataplane/pipeline/drop_reason.h"
#include "proto/tcp/counters.h"

namespace corelane::dataplane {

// Name and meaning of the counters besides drops and TCP's own.
#define CORELANE_COUNTERS(X)                                          \
  X(rx_packets, "frames received")                                    \
  X(rx_bytes, "bytes of them, without FCS")                           \
  X(tx_packets, "frames handed to the devices")                       \
  X(tx_bytes, "bytes of them")                                        \
  X(delivered, "received packets that did not end as a drop")         \
  X(arp_requests_in, "ARP requests for our addresses")                \
  X(arp_replies_in, "ARP replies")                                    \
  X(arp_requests_out, "ARP requests sent, announcements included")    \
  X(arp_replies_out, "ARP replies sent")                              \
  X(arp_conflicts, "frames from another host that uses our address")  \
  X(ipv4_in, "IPv4 packets for us")                                   \
  X(ipv4_out, "IPv4 packets sent")                                    \
  X(fragments_in, "IPv4 fragments received")                          \
  X(fragments_out, "IPv4 fragments sent")                             \
  X(reassembled, "datagrams put together from fragments")             \
  X(icmp_in, "ICMP messages received")                                \
  X(icmp_echo_in, "echo requests answered")                           \
  X(icmp_errors_in, "ICMP errors delivered to a socket")              \
  X(icmp_errors_out, "ICMP errors sent")                              \
  X(icmp_errors_suppressed, "ICMP errors not sent: rate or RFC 1122") \
  X(udp_in, "UDP datagrams delivered")                                \
  X(udp_out, "UDP datagrams sent")                                    \
  X(steered, "received packets passed on to the core that owns them") \
  X(segments_passed_on, "segments for connections that moved away")   \
  X(moved_out, "connections that moved to another core")              \
  X(moved_in, "connections that moved here")                          \
  X(move_failures, "connections reset because they found no room")    \
  X(steering_mistrust, "devices found to spread flows otherwise")     \
  X(linearized, "received chains of buffers copied into one")         \
  X(rx_checksum_software, "received packets whose sums we verified")  \
  X(tx_large, "segments handed down for the device to cut (TSO)")     \
  X(tcp_put_off, "times that a connection found no room to send in")  \
  X(tx_dropped_no_packet, "packets not sent: pool exhausted")         \
  X(tx_dropped_full, "packets not sent: transmit queue full")         \
  X(tx_dropped_no_route, "packets not sent: no route")                \
  X(tx_dropped_neighbor, "packets not sent: no MAC address found")

struct Counters {
#define X(name, text) uint64_t name = 0;
  CORELANE_COUNTERS(X)
#undef X
  std::array<uint64_t, kDropReasonCount> drops{};
  tcp::Counters tcp;

  uint64_t& Drop(DropReason reason) {
    return drops[static_cast<size_t>(reason)];
  }
  uint64_t Drops() const {
    uint64_t sum = 0;
    for (uint64_t n : drops) sum += n;
    return sum;
  }
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_COUNTERS_H_
