#include "dataplane/pipeline/udp_layer.h"

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/fast_send.h"
#include "dataplane/pipeline/icmp_layer.h"
#include "dataplane/steering/steering.h"
#include "proto/base/checksum.h"
#include "proto/udp/header.h"

namespace corelane::dataplane {
namespace {

constexpr uint32_t kFirstEphemeral = 32768;

}  // namespace

UdpLayer::UdpLayer(Core* core, Ipv4Layer* ip, IcmpLayer* icmp)
    : core_(*core), ip_(*ip), icmp_(*icmp) {}

UdpLayer::~UdpLayer() {
  for (uint32_t i = 0; i < arrived_count_; ++i) {
    if (arrived_[i].packet != nullptr) core_.pool.Free(arrived_[i].packet);
  }
}

// For a port of our own choice, which then is this core's.
bool UdpLayer::PortIsFree(Ipv4Address address, uint16_t port) {
  if (by_key_.contains(Key(address, port))) return false;
  Steering* steering = core_.steering;
  return steering == nullptr ||
         steering->group().ClaimUdpPort(port, steering->self());
}

uint16_t UdpLayer::OtherHome(uint16_t port) const {
  if (core_.steering == nullptr) return kNobody;
  const uint16_t home = core_.steering->UdpHome(port);
  return home == core_.steering->self() ? kNobody : home;
}

absl::StatusOr<UdpSocket> UdpLayer::Bind(Ipv4Address address, uint16_t port,
                                         uint16_t application) {
  if (port == 0) {
    constexpr uint32_t kCount = 65536 - kFirstEphemeral;
    const uint32_t start = core_.rng.Below(kCount);
    for (uint32_t i = 0; i < kCount && port == 0; ++i) {
      const auto candidate =
          static_cast<uint16_t>(kFirstEphemeral + (start + i) % kCount);
      if (PortIsFree(address, candidate)) port = candidate;
    }
  }
  if (port == 0 || by_key_.contains(Key(address, port))) {
    return absl::AlreadyExistsError(absl::StrCat(
        "UDP port ", port, " of ", ToString(address), " is already in use"));
  }
  if (Steering* steering = core_.steering; steering != nullptr) {
    steering->group().ShareUdpPort(port, steering->self());
  }
  uint32_t index = 0;
  while (index < sockets_.size() && sockets_[index].in_use) ++index;
  if (index == sockets_.size()) sockets_.emplace_back();
  sockets_[index] = UdpSocketState{};
  sockets_[index].address = address;
  sockets_[index].port = port;
  sockets_[index].application = application;
  sockets_[index].in_use = true;
  by_key_[Key(address, port)] = index;
  ForgetKnown();
  return UdpSocket(this, index);
}

absl::StatusOr<UdpSocket> UdpLayer::BindFor(const UdpEndpoint& remote,
                                            uint16_t application) {
  Steering* steering = core_.steering;
  Path path;
  if (steering == nullptr || !ip_.FindPath({.destination = remote.address,
                                            .source = Ipv4Address(),
                                            .source_port = 0,
                                            .destination_port = remote.port,
                                            .protocol = ipv4::kUdp},
                                           path)) {
    return Bind(Ipv4Address(), 0, application);
  }
  const FlowMap& map = steering->map();
  const uint32_t base = map.BaseOf({.local_address = path.source.value(),
                                    .remote_address = remote.address.value(),
                                    .remote_port = remote.port});
  // One in so many is this core's.
  const uint32_t tries = 32u * steering->group().cores();
  for (uint32_t i = 0; i < tries; ++i) {
    const auto port = static_cast<uint16_t>(
        kFirstEphemeral + core_.rng.Below(65536 - kFirstEphemeral));
    if (map.OwnerAt(base, port) != steering->self() ||
        !PortIsFree(Ipv4Address(), port)) {
      continue;
    }
    return Bind(Ipv4Address(), port, application);
  }
  return Bind(Ipv4Address(), 0, application);
}

// An exact address wins over 0.0.0.0; a connected socket hears its peer only.
uint32_t UdpLayer::Find(Ipv4Address address, uint16_t port,
                        const UdpEndpoint& remote) const {
  for (Ipv4Address a : {address, Ipv4Address()}) {
    const auto it = by_key_.find(Key(a, port));
    if (it == by_key_.end()) continue;
    const UdpSocketState& socket = sockets_[it->second];
    if (socket.connected && socket.peer != remote) continue;
    return it->second;
  }
  return kNone;
}

// One that a connected socket stands before is not remembered: whom it is for
// depends on its sender.
uint32_t UdpLayer::FindAndRemember(const UdpEndpoint& local,
                                   const UdpEndpoint& remote) {
  const uint32_t socket = Find(local.address, local.port, remote);
  if (socket == kNone || sockets_[socket].connected) return socket;
  const auto exact = by_key_.find(Key(local.address, local.port));
  if (exact == by_key_.end() || exact->second == socket) {
    known_[local.port % known_.size()] = {local, socket};
  }
  return socket;
}

void UdpLayer::Receive(const Ipv4Packet& in, const uint8_t* ip_header) {
  const bool verified = L4SumVerified(in.packet);
  udp::Header header;
  const ByteView bytes = BytesOf(in.packet);
  const udp::ParseStatus status =
      verified ? udp::Parse(bytes, header)
               : udp::ParseVerified(bytes, in.header.source,
                                    in.header.destination, header);
  if (!verified) ++core_.counters.rx_checksum_software;
  if (status != udp::ParseStatus::kOk) {
    core_.Drop(in.packet, status == udp::ParseStatus::kBadChecksum
                              ? DropReason::kUdpBadChecksum
                              : DropReason::kUdpMalformed);
    return;
  }
  const UdpEndpoint remote{in.header.source, header.source_port};
  const uint32_t socket =
      Find(in.header.destination, header.destination_port, remote);
  if (socket == kNone) {
    if (const uint16_t home = OtherHome(header.destination_port);
        home != kNobody) {
      Prepend(in.packet, in.header.header_length);
      core_.steering->PostDatagram(in.interface->index, home, in.packet);
      return;
    }
    icmp_.SendError(in, {ip_header, in.header.total_length},
                    {icmp::kUnreachable, icmp::kPortUnreachable, 0});
    core_.Drop(in.packet, DropReason::kUdpNoSocket);
    return;
  }
  TrimTo(in.packet, header.length);
  TrimFront(in.packet, udp::kHeaderLength);
  UdpEndpoint local{in.header.destination, header.destination_port};
  if (in.local_broadcast) local.address = Ipv4Address();
  Deliver(socket, local, remote, in.packet);
}

void UdpLayer::ReceiveReassembled(const Ipv4Packet& in, ByteView bytes) {
  udp::Header header;
  const udp::ParseStatus status = udp::ParseVerified(
      bytes, in.header.source, in.header.destination, header);
  if (status != udp::ParseStatus::kOk) {
    ++core_.counters.Drop(status == udp::ParseStatus::kBadChecksum
                              ? DropReason::kUdpBadChecksum
                              : DropReason::kUdpMalformed);
    return;
  }
  const UdpEndpoint remote{in.header.source, header.source_port};
  const uint32_t socket =
      Find(in.header.destination, header.destination_port, remote);
  if (socket == kNone) {
    ++core_.counters.Drop(DropReason::kUdpNoSocket);
    return;
  }
  ++sockets_[socket].datagrams_in;
  ++core_.counters.udp_in;
  ++core_.counters.delivered;
  Flush();  // keeps the order, and the bytes are valid only now
  Datagram d;
  d.socket = UdpSocket(this, socket);
  d.local = {in.header.destination, header.destination_port};
  d.remote = remote;
  d.payload = bytes.subspan(udp::kHeaderLength, header.PayloadLength());
  if (sockets_[socket].application < applications_.size()) {
    applications_[sockets_[socket].application]->OnDatagrams({&d, 1},
                                                             core_.now);
  }
}

void UdpLayer::Notify(std::span<Application* const> applications) {
  applications_ = applications;
  if (arrived_count_ > 0) Flush();
}

// Hands over runs of datagrams for one application.
void UdpLayer::Flush() {
  uint32_t i = 0;
  while (i < arrived_count_) {
    const uint16_t application =
        sockets_[arrived_[i].socket.index()].application;
    uint32_t end = i + 1;
    while (end < arrived_count_ &&
           sockets_[arrived_[end].socket.index()].application == application) {
      ++end;
    }
    if (application < applications_.size()) {
      applications_[application]->OnDatagrams({&arrived_[i], end - i},
                                              core_.now);
    }
    for (; i < end; ++i) {
      if (arrived_[i].packet != nullptr) core_.pool.Free(arrived_[i].packet);
    }
  }
  arrived_count_ = 0;
}

bool UdpLayer::OnIcmpError(const UdpEndpoint& local, const UdpEndpoint& remote,
                           uint8_t type, uint8_t code) {
  const uint32_t socket = Find(local.address, local.port, remote);
  if (socket == kNone) return false;
  const uint16_t application = sockets_[socket].application;
  if (application >= applications_.size()) return true;
  ++core_.counters.icmp_errors_in;
  applications_[application]->OnDatagramError(
      {UdpSocket(this, socket), remote, type, code});
  return true;
}

bool UdpLayer::MakePath(uint32_t socket, const UdpEndpoint& to,
                        Ipv4Address from, Path& path, OutputSpec& spec) const {
  spec.source = from;
  if (spec.source.IsAny()) spec.source = sockets_[socket].address;
  if (!ip_.FindPath(
          {to.address, spec.source, sockets_[socket].port, to.port, ipv4::kUdp},
          path)) {
    return false;
  }
  if (spec.source.IsAny()) spec.source = path.source;
  spec.destination = to.address;
  spec.protocol = ipv4::kUdp;
  spec.tos = sockets_[socket].tos;
  spec.ttl = sockets_[socket].ttl;
  spec.l4_header_length = udp::kHeaderLength;
  return true;
}

absl::Status UdpLayer::SendTo(uint32_t socket, const UdpEndpoint& to,
                              ByteView payload, Ipv4Address from) {
  Path path;
  OutputSpec spec;
  if (!MakePath(socket, to, from, path, spec)) {
    ++core_.counters.tx_dropped_no_route;
    return absl::UnavailableError(
        absl::StrCat("no route to ", ToString(to.address)));
  }
  if (payload.size() >
      ipv4::kMaxTotalLength - ipv4::kHeaderLength - udp::kHeaderLength) {
    return absl::InvalidArgumentError(absl::StrCat(
        payload.size(), " bytes do not fit a datagram; at most 65507 do"));
  }
  udp::Header header;
  header.source_port = sockets_[socket].port;
  header.destination_port = to.port;
  header.length = static_cast<uint16_t>(udp::kHeaderLength + payload.size());
  uint8_t bytes[udp::kHeaderLength];
  udp::Write(bytes, header);
  // Fragments cannot be summed by the device, so this is done here for all.
  PartialSum sum =
      PseudoHeaderSum(spec.source, spec.destination, ipv4::kUdp, header.length);
  sum = ChecksumAdd(payload, ChecksumAdd(bytes, sum));
  header.checksum = udp::FinishChecksum(sum);
  udp::Write(bytes, header);
  ++sockets_[socket].datagrams_out;
  ++core_.counters.udp_out;
  return ip_.OutputDatagram(path, spec, bytes, payload);
}

// SendPacketTo for what fits a frame, in one piece, on a way that is known.
bool UdpLayer::SendOnKnownWay(uint32_t index, const UdpEndpoint& to,
                              Packet* packet, Ipv4Address from) {
  const Way* way = ip_.FindWay(to.address);
  if (way == nullptr || packet->nb_segs != 1 ||
      packet->pkt_len + udp::kHeaderLength + ipv4::kHeaderLength >
          way->path.interface->config.mtu) {
    return false;
  }
  UdpSocketState& socket = sockets_[index];
  OutputSpec spec;
  spec.source = from;
  if (spec.source.IsAny()) spec.source = socket.address;
  if (spec.source.IsAny()) spec.source = way->path.source;
  spec.destination = to.address;
  spec.tos = socket.tos;
  spec.ttl = socket.ttl;
  spec.l4_header_length = udp::kHeaderLength;
  packet->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
  const auto length =
      static_cast<uint16_t>(udp::kHeaderLength + packet->pkt_len);
  uint8_t* p = Prepend(packet, udp::kHeaderLength);
  StoreBe32(p, uint32_t{socket.port} << 16 | to.port);
  StoreBe16(p + 4, length);
  ++socket.datagrams_out;
  ++core_.counters.udp_out;
  ip_.OutputOn<ipv4::kUdp>(*way, packet, spec);
  return true;
}

void UdpLayer::SendPacketTo(uint32_t socket, const UdpEndpoint& to,
                            Packet* packet, Ipv4Address from) {
  if (SendOnKnownWay(socket, to, packet, from)) return;
  Path path;
  OutputSpec spec;
  if (!MakePath(socket, to, from, path, spec)) {
    ++core_.counters.tx_dropped_no_route;
    core_.pool.Free(packet);
    return;
  }
  if (packet->pkt_len + udp::kHeaderLength + ipv4::kHeaderLength >
      path.interface->config.mtu) {
    SendTo(socket, to, BytesOf(packet), from).IgnoreError();
    core_.pool.Free(packet);
    return;
  }
  udp::Header header;
  header.source_port = sockets_[socket].port;
  header.destination_port = to.port;
  header.length = static_cast<uint16_t>(udp::kHeaderLength + packet->pkt_len);
  packet->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
  udp::Write(Prepend(packet, udp::kHeaderLength), header);
  ++sockets_[socket].datagrams_out;
  ++core_.counters.udp_out;
  ip_.OutputWithChecksum(path, packet, spec, /*checksum_offset=*/6);
}

void UdpLayer::Return(Datagram& d) {
  const uint32_t socket = d.socket.index();
  if (d.packet == nullptr) {
    SendTo(socket, d.remote, d.payload, d.local.address).IgnoreError();
    return;
  }
  Packet* packet = d.Take();
  const Way* way = d.has_headers ? ip_.FindWay(d.remote.address) : nullptr;
  if (way == nullptr ||
      packet->pkt_len + udp::kHeaderLength + ipv4::kHeaderLength >
          way->path.interface->config.mtu) {
    SendPacketTo(socket, d.remote, packet, d.local.address);
    return;
  }
  ++sockets_[socket].datagrams_out;
  ++core_.counters.udp_out;
  ip_.TurnRound(*way, packet, sockets_[socket].tos, sockets_[socket].ttl);
}

void UdpLayer::Connect(uint32_t socket, const UdpEndpoint& peer) {
  sockets_[socket].connected = true;
  sockets_[socket].peer = peer;
  ForgetKnown();
}

void UdpLayer::Disconnect(uint32_t socket) {
  sockets_[socket].connected = false;
  ForgetKnown();
}

void UdpLayer::SetIpOptions(uint32_t socket, uint8_t tos, uint8_t ttl) {
  sockets_[socket].tos = tos;
  sockets_[socket].ttl = ttl;
}

void UdpLayer::Close(uint32_t socket) {
  by_key_.erase(Key(sockets_[socket].address, sockets_[socket].port));
  sockets_[socket].in_use = false;
  ForgetKnown();
  Steering* steering = core_.steering;
  if (steering == nullptr) return;
  const uint16_t port = sockets_[socket].port;
  for (const UdpSocketState& s : sockets_) {
    if (s.in_use && s.port == port) return;
  }
  steering->group().ReleaseUdpPort(port, steering->self());
}

absl::Status UdpSocket::SendTo(const UdpEndpoint& to, ByteView payload,
                               Ipv4Address from) {
  return udp_->SendTo(index_, to, payload, from);
}
void UdpSocket::SendPacketTo(const UdpEndpoint& to, Packet* packet,
                             Ipv4Address from) {
  udp_->SendPacketTo(index_, to, packet, from);
}
void UdpSocket::Return(Datagram& datagram) { udp_->Return(datagram); }
void UdpSocket::Connect(const UdpEndpoint& peer) {
  udp_->Connect(index_, peer);
}
void UdpSocket::Disconnect() { udp_->Disconnect(index_); }
void UdpSocket::SetIpOptions(uint8_t tos, uint8_t ttl) {
  udp_->SetIpOptions(index_, tos, ttl);
}
void UdpSocket::Close() { udp_->Close(index_); }

}  // namespace corelane::dataplane
