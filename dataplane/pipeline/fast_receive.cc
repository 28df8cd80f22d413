// The way up for what most frames are, in one go: a TCP segment for one of our
// addresses, in one piece, without a VLAN tag, IP options or fragments. All
// that the layers would check is checked here; a frame that differs in anything
// is left untouched for them (Pipeline::ReceiveOne), who also name the reason
// if it is to be dropped.
#include <cstring>

#include "dataplane/pipeline/pipeline.h"
#include "proto/base/checksum.h"
#include "proto/ethernet/header.h"
#include "proto/ipv4/header.h"
#include "proto/tcp/header.h"

namespace corelane::dataplane {
namespace {

constexpr uint16_t kIpAt = ethernet::kHeaderLength;
constexpr uint16_t kTcpAt = kIpAt + ipv4::kHeaderLength;

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

}  // namespace

bool Pipeline::ReceivePredicted(Interface& interface, Packet* packet) {
  if (packet->nb_segs != 1 || packet->data_len < kTcpAt + tcp::kHeaderLength ||
      interface.config.vlan != kNoVlan) {
    return false;
  }
  const uint8_t* frame = DataOf(packet);
  const uint8_t* ip = frame + kIpAt;
  const uint16_t total_length = LoadBe16(ip + 2);
  const uint16_t fragment = LoadBe16(ip + 6);
  if (!IsPlainFrame(frame, interface.config.mac) || ip[9] != ipv4::kTcp ||
      (fragment & 0x3fff) != 0 ||
      total_length < ipv4::kHeaderLength + tcp::kHeaderLength ||
      total_length > packet->data_len - kIpAt) {
    return false;
  }
  tcp::FlowKey key;
  key.remote_address = LoadBe32(ip + 12);
  key.local_address = LoadBe32(ip + 16);
  if (!ip_.AcceptsPair(interface, key.remote(), key.local()) ||
      !IpSumGood(packet, ip)) {
    return false;
  }
  const auto length = static_cast<uint16_t>(total_length - ipv4::kHeaderLength);
  const bool verified = (packet->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
                        RTE_MBUF_F_RX_L4_CKSUM_GOOD;
  if (!verified) {
    const PartialSum sum =
        PseudoHeaderSum(key.remote(), key.local(), ipv4::kTcp, length);
    if (ChecksumFold(ChecksumAdd({frame + kTcpAt, length}, sum)) != 0xffff) {
      return false;
    }
    ++core_.counters.rx_checksum_software;
  }
  ++core_.counters.rx_packets;
  core_.counters.rx_bytes += packet->pkt_len;
  ++core_.counters.ipv4_in;
  key.remote_port = LoadBe16(frame + kTcpAt);
  key.local_port = LoadBe16(frame + kTcpAt + 2);
  packet->data_off = static_cast<uint16_t>(packet->data_off + kTcpAt);
  TrimTo(packet, length);
  tcp_.Enqueue(packet, key, interface.index,
               (ip[1] & ipv4::kEcnMask) == ipv4::kEcnCe);
  return true;
}

}  // namespace corelane::dataplane
