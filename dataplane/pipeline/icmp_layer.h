// One core's ICMP: echo, errors sent within limits, errors received for our
// sockets.
#ifndef CORELANE_DATAPLANE_PIPELINE_ICMP_LAYER_H_
#define CORELANE_DATAPLANE_PIPELINE_ICMP_LAYER_H_

#include <cstdint>

#include "dataplane/pipeline/core.h"
#include "dataplane/pipeline/ipv4_layer.h"
#include "proto/icmp/error_policy.h"
#include "proto/icmp/message.h"

namespace corelane::dataplane {

class IcmpLayer {
 public:
  IcmpLayer(Core* core, Ipv4Layer* ip);
  void Wire(UdpLayer* udp, TcpLayer* tcp);

  // Takes a packet whose data is the ICMP message; `in.header` is its IP
  // header.
  void Receive(const Ipv4Packet& in);
  // The same for a message that came in fragments; `message` may be changed.
  void ReceiveReassembled(const Ipv4Packet& in, MutableByteView message);

  // Reports an error about `offending`, which starts at its IP header, if it
  // may be reported (RFC 1122 section 3.2.2) and the limits allow it.
  void SendError(const Ipv4Packet& in, ByteView offending,
                 const icmp::Error& error);

 private:
  uint16_t OnError(const icmp::Message& message);

  Core& core_;
  Ipv4Layer& ip_;
  UdpLayer* udp_ = nullptr;
  TcpLayer* tcp_ = nullptr;
  icmp::ErrorLimiter limiter_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_ICMP_LAYER_H_
