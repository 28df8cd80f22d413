// Frames of a stateless client: headers from a template, of which per frame
// only what differs is filled in.
#ifndef CORELANE_DATAPLANE_LOAD_STATELESS_FRAME_H_
#define CORELANE_DATAPLANE_LOAD_STATELESS_FRAME_H_

#include <cstdint>
#include <string>

#include "dataplane/load/stateless_segment.h"
#include "dataplane/packet/packet.h"
#include "proto/base/address.h"
#include "proto/base/checksum.h"
#include "proto/ethernet/header.h"
#include "proto/ipv4/header.h"

namespace corelane::dataplane {

struct StatelessPath {
  MacAddress source_mac;
  MacAddress target_mac;
  Ipv4Address target;
  uint16_t target_port = 0;
  uint16_t mss = 1460;  // that we offer
};

class StatelessWriter {
 public:
  StatelessWriter(const StatelessPath& path, const std::string& request);

  // Into an empty packet with room for a frame: a SYN that was due at
  // `timestamp`; what AnswerTo said; a reset of a flow that has come to `seq`.
  void Syn(Packet* packet, Ipv4Address source, uint16_t port, SeqNum isn,
           uint32_t timestamp) const;
  void Answer(Packet* packet, Ipv4Address source, uint16_t port,
              const StatelessAnswer& answer) const;
  void Reset(Packet* packet, Ipv4Address source, uint16_t port,
             SeqNum seq) const;

 private:
  static constexpr uint16_t kIpAt = ethernet::kHeaderLength;
  static constexpr uint16_t kTcpAt = kIpAt + ipv4::kHeaderLength;

  // The TCP header with its options is there; puts in the rest.
  void Finish(Packet* packet, Ipv4Address source, uint16_t header_length,
              bool request) const;

  std::string request_;
  uint16_t target_port_;
  uint16_t mss_;
  uint8_t head_[kTcpAt] = {};
  PartialSum ip_sum_ = 0;   // of all but source and length
  PartialSum tcp_sum_ = 0;  // of the pseudo-header, likewise
  PartialSum request_sum_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_STATELESS_FRAME_H_
