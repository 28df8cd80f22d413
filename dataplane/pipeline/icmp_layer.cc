#include "dataplane/pipeline/icmp_layer.h"

#include <algorithm>
#include <cstring>

#include "dataplane/pipeline/tcp_layer.h"
#include "dataplane/pipeline/udp_layer.h"
#include "dataplane/steering/steering.h"

namespace corelane::dataplane {
namespace {

// RFC 1122 section 3.2.2.1: net and host unreachable are hints, the rest says
// that it will never work.
bool IsHardError(const icmp::Message& message) {
  return message.type == icmp::kUnreachable &&
         (message.code == icmp::kProtocolUnreachable ||
          message.code == icmp::kPortUnreachable);
}

// Only messages to one host are answered (RFC 1122 section 3.2.2.6).
bool IsAnswerable(const Ipv4Packet& in, const icmp::Message& message) {
  return message.type == icmp::kEchoRequest && message.code == 0 &&
         !in.link_group && !in.local_broadcast;
}

OutputSpec EchoReplySpec(const ipv4::Header& request) {
  OutputSpec spec;
  spec.source = request.destination;
  spec.destination = request.source;
  spec.protocol = ipv4::kIcmp;
  spec.tos = request.tos;
  return spec;
}

// Back to where a datagram came from; its fragments, which show no ports, go
// one way as well.
ipv4::Flow FlowBack(const ipv4::Header& in) {
  return {in.source, in.destination, 0, 0, ipv4::kIcmp};
}

// An error goes the way of the flow that it is about, where that shows.
ipv4::Flow FlowOfError(const ipv4::Header& in, ByteView payload) {
  ipv4::Flow flow = FlowBack(in);
  const bool ports = in.protocol == ipv4::kTcp || in.protocol == ipv4::kUdp;
  if (ports && !in.IsFragment() && payload.size() >= 4) {
    flow.protocol = in.protocol;
    flow.source_port = LoadBe16(payload.data() + 2);
    flow.destination_port = LoadBe16(payload.data());
  }
  return flow;
}

}  // namespace

IcmpLayer::IcmpLayer(Core* core, Ipv4Layer* ip)
    : core_(*core),
      ip_(*ip),
      limiter_(icmp::ErrorLimits{},
               SipKey{core->rng.Next64(), core->rng.Next64()}) {}

void IcmpLayer::Wire(UdpLayer* udp, TcpLayer* tcp) {
  udp_ = udp;
  tcp_ = tcp;
}

void IcmpLayer::Receive(const Ipv4Packet& in) {
  icmp::Message message;
  switch (icmp::Parse(BytesOf(in.packet), /*verify_checksum=*/true, message)) {
    case icmp::ParseStatus::kOk:
      break;
    case icmp::ParseStatus::kTruncated:
      core_.Drop(in.packet, DropReason::kIcmpMalformed);
      return;
    case icmp::ParseStatus::kBadChecksum:
      core_.Drop(in.packet, DropReason::kIcmpBadChecksum);
      return;
  }
  ++core_.counters.icmp_in;
  if (IsAnswerable(in, message)) {
    Path path;
    if (!ip_.FindPath(FlowBack(in.header), path)) {
      core_.Drop(in.packet, DropReason::kNoRoute);
      return;
    }
    ++core_.counters.icmp_echo_in;
    ++core_.counters.delivered;
    icmp::TurnEchoRequestIntoReply(DataOf(in.packet));
    // Not all that arrives in one packet may leave in one: af_packet hands over
    // what the kernel has put together from fragments.
    if (in.packet->pkt_len + ipv4::kHeaderLength > path.interface->config.mtu) {
      ip_.OutputDatagram(path, EchoReplySpec(in.header), BytesOf(in.packet), {})
          .IgnoreError();
      core_.pool.Free(in.packet);
      return;
    }
    // The packet itself is turned round.
    in.packet->ol_flags = 0;
    ip_.Output(path, in.packet, EchoReplySpec(in.header));
    return;
  }
  if (icmp::MayBeError(message.type)) {
    if (const uint16_t home = OnError(message); home != UdpLayer::kNobody) {
      --core_.counters.icmp_in;
      Prepend(in.packet, in.header.header_length);
      core_.steering->PostDatagram(in.interface->index, home, in.packet);
      return;
    }
    ++core_.counters.delivered;
    core_.pool.Free(in.packet);
    return;
  }
  core_.Drop(in.packet, DropReason::kIcmpIgnored);
}

void IcmpLayer::ReceiveReassembled(const Ipv4Packet& in,
                                   MutableByteView bytes) {
  icmp::Message message;
  if (icmp::Parse(bytes, /*verify_checksum=*/true, message) !=
      icmp::ParseStatus::kOk) {
    ++core_.counters.Drop(DropReason::kIcmpBadChecksum);
    return;
  }
  ++core_.counters.icmp_in;
  Path path;
  if (!IsAnswerable(in, message) || !ip_.FindPath(FlowBack(in.header), path)) {
    ++core_.counters.Drop(DropReason::kIcmpIgnored);
    return;
  }
  ++core_.counters.icmp_echo_in;
  ++core_.counters.delivered;
  icmp::TurnEchoRequestIntoReply(bytes.data());
  // A reply too large to be sent is like one that was lost.
  ip_.OutputDatagram(path, EchoReplySpec(in.header), bytes, {}).IgnoreError();
}

void IcmpLayer::SendError(const Ipv4Packet& in, ByteView offending,
                          const icmp::Error& error) {
  const ByteView payload = offending.subspan(
      std::min<size_t>(in.header.header_length, offending.size()));
  Path path;
  if (icmp::MaySendError(in.header, payload, in.link_group,
                         in.local_broadcast) != icmp::ErrorVerdict::kMaySend ||
      !ip_.FindPath(FlowOfError(in.header, payload), path) ||
      !limiter_.Allow(in.header.source, core_.now)) {
    ++core_.counters.icmp_errors_suppressed;
    return;
  }
  Packet* packet = core_.pool.Alloc();
  if (packet == nullptr) {
    ++core_.counters.tx_dropped_no_packet;
    return;
  }
  // An error is not worth fragments: it quotes less where the MTU is small.
  const auto room = static_cast<size_t>(std::min<int>(
      icmp::kMaxErrorLength, path.interface->config.mtu - ipv4::kHeaderLength));
  const uint16_t length =
      icmp::WriteError({DataOf(packet), room}, error, offending);
  if (length == 0) {  // the offending header alone is too long
    ++core_.counters.icmp_errors_suppressed;
    core_.pool.Free(packet);
    return;
  }
  Append(packet, length);
  OutputSpec spec;
  spec.source =
      ip_.IsOurs(in.header.destination) ? in.header.destination : path.source;
  spec.destination = in.header.source;
  spec.protocol = ipv4::kIcmp;
  ++core_.counters.icmp_errors_out;
  ip_.Output(path, packet, spec);
}

// An error about something that we sent, or that somebody says we did. Returns
// the other core that it is for, if there is one.
uint16_t IcmpLayer::OnError(const icmp::Message& message) {
  icmp::QuotedPacket quoted;
  if (icmp::ParseQuoted(message.body, quoted) != icmp::QuoteStatus::kOk ||
      !quoted.has_ports || !ip_.IsOurs(quoted.source)) {
    return UdpLayer::kNobody;
  }
  if (quoted.protocol == ipv4::kUdp) {
    const bool here =
        udp_->OnIcmpError({quoted.source, quoted.source_port},
                          {quoted.destination, quoted.destination_port},
                          message.type, message.code);
    return here ? UdpLayer::kNobody : udp_->OtherHome(quoted.source_port);
  }
  if (quoted.protocol != ipv4::kTcp || !quoted.has_seq) {
    return UdpLayer::kNobody;
  }
  const tcp::FlowKey key{quoted.source.value(), quoted.destination.value(),
                         quoted.source_port, quoted.destination_port};
  const bool fragmentation_needed = message.type == icmp::kUnreachable &&
                                    message.code == icmp::kFragmentationNeeded;
  // A source quench is ignored, like a redirect (RFC 9293 section 3.9.2.2,
  // MUST-55).
  if (message.type != icmp::kUnreachable &&
      message.type != icmp::kTimeExceeded &&
      message.type != icmp::kParameterProblem) {
    return UdpLayer::kNobody;
  }
  static_assert(UdpLayer::kNobody == Forward::kNoCore);
  return tcp_->OnIcmpError(key, quoted.seq, IsHardError(message),
                           fragmentation_needed,
                           fragmentation_needed ? message.next_hop_mtu() : 0);
}

}  // namespace corelane::dataplane
