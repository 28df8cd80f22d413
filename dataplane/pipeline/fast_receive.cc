// The way up for what most frames are, in one go: a TCP segment or a UDP
// datagram for one of our addresses, in one piece, without a VLAN tag, IP
// options or fragments. All that the layers would check is checked here; a
// frame that differs in anything is left untouched for them
// (Pipeline::ReceiveOne), who also name the reason if it is to be dropped.
#include <cstring>

#include "dataplane/pipeline/pipeline.h"
#include "dataplane/pipeline/tcp_short.h"
#include "proto/base/checksum.h"
#include "proto/ethernet/header.h"
#include "proto/ipv4/header.h"
#include "proto/tcp/header.h"
#include "proto/udp/header.h"

namespace corelane::dataplane {
namespace {

constexpr uint16_t kIpAt = ethernet::kHeaderLength;
constexpr uint16_t kTransportAt = kIpAt + ipv4::kHeaderLength;

// Whether bytes 0 to 15 are an untagged Ethernet II header for `own`, from a
// single host, and the beginning of an IPv4 header without options.
bool IsPlainFrame(const uint8_t* p, const MacAddress& own) {
  return std::memcmp(p, own.bytes.data(), sizeof(own.bytes)) == 0 &&
         (p[6] & 1) == 0 && LoadBe16(p + 12) == ethernet::kIpv4 &&
         p[kIpAt] == 0x45;
}

// Verified by the device, or here.
bool IpSumGood(const Packet* packet, const uint8_t* ip) {
  return (packet->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) ==
             RTE_MBUF_F_RX_IP_CKSUM_GOOD ||
         ipv4::internal::ChecksumGood(ip, ipv4::kHeaderLength);
}

// The same for TCP's and UDP's, over `transport`'s bytes.
bool TransportSumGood(const Packet* packet, ByteView transport,
                      const tcp::FlowKey& key, uint8_t protocol,
                      Counters& counters) {
  if ((packet->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
      RTE_MBUF_F_RX_L4_CKSUM_GOOD) {
    return true;
  }
  const PartialSum sum =
      PseudoHeaderSum(key.remote(), key.local(), protocol,
                      static_cast<uint16_t>(transport.size()));
  if (ChecksumFold(ChecksumAdd(transport, sum)) != 0xffff) return false;
  ++counters.rx_checksum_software;
  return true;
}

}  // namespace

inline void Pipeline::CountPredicted(const Packet* packet) {
  ++core_.counters.rx_packets;
  core_.counters.rx_bytes += packet->pkt_len;
  ++core_.counters.ipv4_in;
}

// For a UDP datagram that fills its IP datagram of `length` bytes, as
// nearly all do, and was summed by its sender.
inline bool Pipeline::ReceiveDatagram(Packet* packet, const tcp::FlowKey& key,
                                      uint16_t length) {
  const uint8_t* transport = DataOf(packet) + kTransportAt;
  if (LoadBe16(transport + 4) != length || LoadBe16(transport + 6) == 0 ||
      key.local_port == 0) {
    return false;
  }
  const UdpEndpoint local{key.local(), key.local_port};
  const UdpEndpoint remote{key.remote(), key.remote_port};
  const uint32_t socket = udp_.FindAgain(local, remote);
  if (socket == UdpLayer::kNone ||
      !TransportSumGood(packet, {transport, length}, key, ipv4::kUdp,
                        core_.counters)) {
    return false;
  }
  CountPredicted(packet);
  constexpr uint16_t kPayloadAt = kTransportAt + udp::kHeaderLength;
  packet->data_off = static_cast<uint16_t>(packet->data_off + kPayloadAt);
  TrimTo(packet, static_cast<uint16_t>(length - udp::kHeaderLength));
  udp_.Deliver(socket, local, remote, packet, /*has_headers=*/true);
  return true;
}

inline bool Pipeline::ReceivePredicted(Interface& interface, Packet* packet) {
  if (packet->nb_segs != 1 ||
      packet->data_len < kTransportAt + udp::kHeaderLength ||
      interface.config.vlan != kNoVlan) {
    return false;
  }
  const uint8_t* frame = DataOf(packet);
  const uint8_t* ip = frame + kIpAt;
  const uint16_t total_length = LoadBe16(ip + 2);
  const uint16_t fragment = LoadBe16(ip + 6);
  if (!IsPlainFrame(frame, interface.config.mac) || (fragment & 0x3fff) != 0 ||
      total_length < ipv4::kHeaderLength + udp::kHeaderLength ||
      total_length > packet->data_len - kIpAt) {
    return false;
  }
  tcp::FlowKey key;
  key.remote_address = LoadBe32(ip + 12);
  key.local_address = LoadBe32(ip + 16);
  if (!ip_.AcceptsPairAgain(interface, key.remote(), key.local()) ||
      !IpSumGood(packet, ip)) {
    return false;
  }
  const auto length = static_cast<uint16_t>(total_length - ipv4::kHeaderLength);
  const uint8_t* transport = frame + kTransportAt;
  key.remote_port = LoadBe16(transport);
  key.local_port = LoadBe16(transport + 2);
  if (ip[9] == ipv4::kUdp) return ReceiveDatagram(packet, key, length);
  if (ip[9] != ipv4::kTcp || length < tcp::kHeaderLength ||
      !TransportSumGood(packet, {transport, length}, key, ipv4::kTcp,
                        core_.counters)) {
    return false;
  }
  CountPredicted(packet);
  packet->data_off = static_cast<uint16_t>(packet->data_off + kTransportAt);
  TrimTo(packet, length);
  tcp_.Enqueue(packet, key, interface.index,
               (ip[1] & ipv4::kEcnMask) == ipv4::kEcnCe);
  return true;
}

void Pipeline::Receive(uint16_t interface, std::span<Packet*> burst) {
  if (frame_sink_ != nullptr) [[unlikely]] {
    burst = burst.first(frame_sink_->OnFrames(interface, burst, core_.now));
  }
  core_.NoteBound(static_cast<uint32_t>(burst.size()));
  for (Packet* packet : burst) __builtin_prefetch(DataOf(packet));
  Interface& in = interfaces_[interface];
  for (Packet* packet : burst) {
    if (!ReceivePredicted(in, packet)) ReceiveOne(in, packet);
  }
}

}  // namespace corelane::dataplane
