// The way up: validate, reassemble, deliver.
#include <algorithm>
#include <bit>
#include <cstring>

#include "dataplane/pipeline/icmp_layer.h"
#include "dataplane/pipeline/ipv4_layer.h"
#include "dataplane/pipeline/tcp_short.h"
#include "dataplane/pipeline/udp_layer.h"
#include "dataplane/steering/classify.h"
#include "dataplane/steering/steering.h"
#include "proto/base/checksum.h"

namespace corelane::dataplane {
namespace {

constexpr size_t kMaxRoutes = 1024;

DropReason ReasonFor(ipv4::ParseStatus status) {
  using ipv4::ParseStatus;
  switch (status) {
    case ParseStatus::kTruncated:
    case ParseStatus::kLengthBeyondFrame:
      return DropReason::kIpv4Truncated;
    case ParseStatus::kBadChecksum:
      return DropReason::kIpv4BadChecksum;
    case ParseStatus::kFragmentPastEnd:
      return DropReason::kFragmentBad;
    case ParseStatus::kSourceThisNetwork:
    case ParseStatus::kSourceLoopback:
    case ParseStatus::kSourceMulticast:
    case ParseStatus::kSourceBroadcast:
    case ParseStatus::kSourceReserved:
    case ParseStatus::kSourceIsDestination:
      return DropReason::kIpv4BadSource;
    case ParseStatus::kDestinationThisNetwork:
    case ParseStatus::kDestinationLoopback:
    case ParseStatus::kDestinationReserved:
      return DropReason::kIpv4NotForUs;
    case ParseStatus::kSourceRoute:
      return DropReason::kIpv4SourceRoute;
    case ParseStatus::kBadOption:
      return DropReason::kIpv4BadOption;
    default:
      return DropReason::kIpv4BadHeader;
  }
}

DropReason ReasonFor(ipv4::FragmentStatus status) {
  switch (status) {
    case ipv4::FragmentStatus::kDuplicate:
      return DropReason::kFragmentDuplicate;
    case ipv4::FragmentStatus::kNoSpace:
      return DropReason::kFragmentNoRoom;
    default:
      return DropReason::kFragmentBad;
  }
}

ipv4::ReassemblyLimits LimitsFor(const Core& core) {
  ipv4::ReassemblyLimits limits;
  // Strangers' fragments may pin a sixteenth of the packets.
  limits.max_fragments =
      std::clamp<uint32_t>(core.low_memory_mark / 2, 64, 4096);
  return limits;
}

Packet* PacketOf(uint64_t handle) {
  return std::bit_cast<Packet*>(static_cast<uintptr_t>(handle));
}

}  // namespace

Ipv4Layer::Ipv4Layer(Core* core, std::vector<Interface>* interfaces)
    : core_(*core),
      interfaces_(*interfaces),
      routes_(kMaxRoutes, core->secrets.flow_hash),
      reassembly_(LimitsFor(*core),
                  SipKey{core->rng.Next64(), core->rng.Next64()}),
      identification_(SipKey{core->rng.Next64(), core->rng.Next64()},
                      core->rng),
      scratch_(ipv4::kMaxTotalLength) {}

Ipv4Layer::~Ipv4Layer() {
  reassembly_.Flush();
  ipv4::Released released;
  while (reassembly_.PopReleased(released)) {
    core_.pool.Free(PacketOf(released.handle));
  }
}

void Ipv4Layer::Wire(ArpLayer* arp, IcmpLayer* icmp, UdpLayer* udp,
                     TcpLayer* tcp) {
  arp_ = arp;
  icmp_ = icmp;
  udp_ = udp;
  tcp_ = tcp;
}

// What comes by one interface cannot reach a service that is bound to another's
// address, whatever a neighbour makes of its routes.
bool Ipv4Layer::IsFor(const Interface& interface,
                      Ipv4Address destination) const {
  return core_.weak_host ? IsOurs(destination)
                         : interface.HasAddress(destination);
}

void Ipv4Layer::Receive(Interface& interface, Packet* packet, bool link_group) {
  Ipv4Packet in;
  in.packet = packet;
  in.interface = &interface;
  in.link_group = link_group;
  const bool verified = IpSumVerified(packet);
  const ipv4::ParseStatus status =
      ipv4::Parse(BytesOf(packet), in.header, !verified);
  if (status != ipv4::ParseStatus::kOk) {
    core_.Drop(packet, ReasonFor(status));
    return;
  }
  in.local_broadcast = in.header.destination.IsBroadcast() ||
                       interface.IsDirectedBroadcast(in.header.destination);
  if (!in.local_broadcast && !IsFor(interface, in.header.destination)) {
    core_.Drop(packet, IsOurs(in.header.destination)
                           ? DropReason::kIpv4OtherPort
                           : DropReason::kIpv4NotForUs);
    return;
  }
  if (IsOurs(in.header.source) ||
      interface.IsDirectedBroadcast(in.header.source)) {
    core_.Drop(packet, DropReason::kIpv4BadSource);
    return;
  }
  ++core_.counters.ipv4_in;
  TrimTo(packet, in.header.total_length);  // without the frame's padding
  if (in.header.IsFragment()) {
    ReceiveFragment(in);
  } else {
    Deliver(in);
  }
}

void Ipv4Layer::Deliver(Ipv4Packet& in) {
  const uint8_t* ip_header = DataOf(in.packet);
  switch (in.header.protocol) {
    case ipv4::kTcp:
      TrimFront(in.packet, in.header.header_length);
      DeliverTcp(in);
      return;
    case ipv4::kUdp:
      TrimFront(in.packet, in.header.header_length);
      udp_->Receive(in, ip_header);
      return;
    case ipv4::kIcmp:
      TrimFront(in.packet, in.header.header_length);
      icmp_->Receive(in);
      return;
    default:
      icmp_->SendError(in, BytesOf(in.packet),
                       {icmp::kUnreachable, icmp::kProtocolUnreachable, 0});
      core_.Drop(in.packet, DropReason::kIpv4UnknownProtocol);
  }
}

void Ipv4Layer::DeliverTcp(Ipv4Packet& in) {
  if (in.link_group || in.local_broadcast) {
    core_.Drop(in.packet, DropReason::kTcpBadAddress);
    return;
  }
  const ByteView segment = BytesOf(in.packet);
  if (segment.size() < tcp::kHeaderLength) {
    core_.Drop(in.packet, DropReason::kTcpMalformed);
    return;
  }
  if (!L4SumVerified(in.packet)) {
    ++core_.counters.rx_checksum_software;
    const PartialSum sum =
        PseudoHeaderSum(in.header.source, in.header.destination, ipv4::kTcp,
                        static_cast<uint16_t>(segment.size()));
    if (ChecksumFold(ChecksumAdd(segment, sum)) != 0xffff) {
      core_.Drop(in.packet, DropReason::kTcpBadChecksum);
      return;
    }
  }
  tcp::FlowKey key;
  key.local_address = in.header.destination.value();
  key.remote_address = in.header.source.value();
  key.remote_port = LoadBe16(segment.data());
  key.local_port = LoadBe16(segment.data() + 2);
  const bool congestion = (in.header.tos & ipv4::kEcnMask) == ipv4::kEcnCe;
  tcp_->Enqueue(in.packet, key, in.interface->index, congestion);
}

void Ipv4Layer::ReceiveFragment(Ipv4Packet& in) {
  ++core_.counters.fragments_in;
  const ipv4::FragmentKey key{in.header.source, in.header.destination,
                              in.header.id, in.header.protocol};
  const ipv4::Fragment fragment{
      reinterpret_cast<uintptr_t>(in.packet), in.header.fragment_offset,
      in.header.PayloadLength(), in.header.more_fragments};
  const ipv4::AddResult result = reassembly_.Add(key, fragment, core_.now);
  switch (result.status) {
    case ipv4::FragmentStatus::kHeld:
      break;
    case ipv4::FragmentStatus::kComplete:
      CompleteDatagram(in, result.datagram);
      reassembly_.Finish(result.datagram);
      TakeBackFragments();
      pass_on_to_ = kNobody;
      return;
    default:
      core_.Drop(in.packet, ReasonFor(result.status));
  }
  TakeBackFragments();
}

// Fragments that the reassembly has let go of.
void Ipv4Layer::TakeBackFragments() {
  ipv4::Released released;
  while (reassembly_.PopReleased(released)) {
    Packet* packet = PacketOf(released.handle);
    switch (released.reason) {
      case ipv4::ReleaseReason::kFinished:
        if (pass_on_to_ != kNobody) {
          core_.steering->PostFragment(pass_on_interface_, pass_on_to_, packet);
          break;
        }
        ++core_.counters.delivered;
        core_.pool.Free(packet);
        break;
      case ipv4::ReleaseReason::kTimeout:
        if (released.first) ReportTimeout(packet);
        core_.Drop(packet, DropReason::kFragmentTimeout);
        break;
      case ipv4::ReleaseReason::kEvicted:
      case ipv4::ReleaseReason::kFlushed:
        core_.Drop(packet, DropReason::kFragmentNoRoom);
        break;
      case ipv4::ReleaseReason::kMalformed:
        core_.Drop(packet, DropReason::kFragmentBad);
        break;
    }
  }
}

// RFC 1122 section 3.3.2: the source hears that its datagram was incomplete.
void Ipv4Layer::ReportTimeout(Packet* first) {
  Ipv4Packet in;
  in.packet = first;
  if (ipv4::Parse(BytesOf(first), in.header, false) != ipv4::ParseStatus::kOk) {
    return;
  }
  icmp_->SendError(in, BytesOf(first),
                   {icmp::kTimeExceeded, icmp::kReassemblyExceeded, 0});
}

void Ipv4Layer::CopyTogether(uint32_t datagram) {
  for (uint32_t i = reassembly_.First(datagram); i != ipv4::Reassembly::kNone;
       i = reassembly_.Next(i)) {
    const ipv4::Fragment& f = reassembly_.At(i);
    const Packet* packet = PacketOf(f.handle);
    std::memcpy(scratch_.data() + f.offset,
                DataOf(packet) + (packet->data_len - f.length), f.length);
  }
}

void Ipv4Layer::CompleteDatagram(const Ipv4Packet& last, uint32_t datagram) {
  const uint16_t length = reassembly_.PayloadLength(datagram);
  CopyTogether(datagram);
  const MutableByteView payload(scratch_.data(), length);
  if (Steering* steering = core_.steering; steering != nullptr) {
    uint16_t owner =
        OwnerOfDatagram(last.header.protocol, last.header.source.value(),
                        last.header.destination.value(), payload,
                        steering->map(), steering->self());
    if (last.header.protocol == ipv4::kUdp && length >= 4) {
      const uint16_t sole =
          steering->group().SoleUdpCore(LoadBe16(payload.data() + 2));
      if (sole != CoreGroup::kNoCore) owner = sole;
    }
    if (owner != steering->self()) {
      // Only now are its ports known. The owner puts it together once more.
      pass_on_to_ = owner;
      pass_on_interface_ = last.interface->index;
      return;
    }
  }
  ++core_.counters.reassembled;
  // All fragments count as delivered when they are let go; whatever becomes of
  // the datagram counts once more, and stands for its last fragment.
  --core_.counters.delivered;
  switch (last.header.protocol) {
    case ipv4::kUdp:
      udp_->ReceiveReassembled(last, payload);
      return;
    case ipv4::kIcmp:
      icmp_->ReceiveReassembled(last, payload);
      return;
    case ipv4::kTcp:
      DeliverReassembledTcp(last, payload);
      return;
    default:
      ++core_.counters.Drop(DropReason::kIpv4UnknownProtocol);
  }
}

// TCP avoids fragments; what comes in them anyway is taken if it fits a packet.
void Ipv4Layer::DeliverReassembledTcp(const Ipv4Packet& last,
                                      ByteView segment) {
  Packet* packet = core_.pool.Alloc();
  if (packet == nullptr || segment.size() > TailroomOf(packet)) {
    if (packet == nullptr) {
      ++core_.counters.Drop(DropReason::kNoPacket);
    } else {
      core_.Drop(packet, DropReason::kScattered);
    }
    return;
  }
  std::memcpy(Append(packet, static_cast<uint16_t>(segment.size())),
              segment.data(), segment.size());
  Ipv4Packet whole = last;
  whole.packet = packet;
  DeliverTcp(whole);
}

void Ipv4Layer::RunTimers() {
  if (reassembly_.NextDeadline() > core_.now) return;
  reassembly_.Expire(core_.now);
  TakeBackFragments();
}

Time Ipv4Layer::NextDeadline() const { return reassembly_.NextDeadline(); }

}  // namespace corelane::dataplane
