#include "dataplane/steering/classify.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "proto/ethernet/header.h"
#include "proto/icmp/message.h"
#include "proto/ipv4/header.h"

namespace corelane::dataplane {
namespace {

// Tag, the longest IP header, ICMP's, again the longest IP header, ports.
constexpr size_t kDeepest = 18 + 60 + 8 + 60 + 8;
constexpr uint16_t kFragmentBits = 0x3fff;  // more fragments, offset
constexpr uint16_t kVlanTag = 0x8100;

size_t HeaderLength(const uint8_t* ip) { return size_t{ip[0] & 0xfu} * 4; }

bool HasPorts(uint8_t protocol) {
  return protocol == ipv4::kTcp || protocol == ipv4::kUdp;
}

// `quoted` is what came back of a packet of ours.
Classified ClassifyError(ByteView icmp, const FlowMap& map) {
  constexpr size_t kIcmpHeader = 8;
  if (icmp.size() < kIcmpHeader || !icmp::MayBeError(icmp[0])) return {};
  icmp::QuotedPacket quoted;
  if (icmp::ParseQuoted(icmp.subspan(kIcmpHeader), quoted) !=
          icmp::QuoteStatus::kOk ||
      !quoted.has_ports) {
    return {};
  }
  const tcp::FlowKey key{quoted.source.value(), quoted.destination.value(),
                         quoted.source_port, quoted.destination_port};
  return {FrameKind::kError, map.OwnerOf(key)};
}

Classified ClassifyIpv4(ByteView ip, const FlowMap& map) {
  if (ip.size() < ipv4::kHeaderLength || ip[0] >> 4 != 4) return {};
  const uint8_t* p = ip.data();
  const uint32_t source = LoadBe32(p + 12);
  const uint32_t destination = LoadBe32(p + 16);
  if ((LoadBe16(p + 6) & kFragmentBits) != 0) {
    return {FrameKind::kFragment,
            map.OwnerOfFragment(source, destination, LoadBe16(p + 4))};
  }
  const size_t length = HeaderLength(p);
  if (length < ipv4::kHeaderLength || ip.size() < length + 4) return {};
  if (HasPorts(p[9])) {
    const tcp::FlowKey key{destination, source, LoadBe16(p + length + 2),
                           LoadBe16(p + length)};
    return {FrameKind::kFlow, map.OwnerOf(key)};
  }
  if (p[9] == ipv4::kIcmp) return ClassifyError(ip.subspan(length), map);
  return {};
}

}  // namespace

Classified Classify(const Packet* frame, const FlowMap& map) {
  ByteView bytes = BytesOf(frame);
  std::array<uint8_t, kDeepest> copy;
  if (frame->next != nullptr && bytes.size() < kDeepest) [[unlikely]] {
    size_t n = 0;
    for (const Packet* p = frame; p != nullptr && n < copy.size();
         p = p->next) {
      const size_t take = std::min<size_t>(p->data_len, copy.size() - n);
      std::memcpy(copy.data() + n, DataOf(p), take);
      n += take;
    }
    bytes = {copy.data(), n};
  }
  size_t at = ethernet::kHeaderLength;
  if (bytes.size() < at) return {};
  uint16_t type = LoadBe16(bytes.data() + at - 2);
  if (type == kVlanTag) {
    at += ethernet::kTagLength;
    if (bytes.size() < at) return {};
    type = LoadBe16(bytes.data() + at - 2);
  }
  if (type != ethernet::kIpv4) return {};
  return ClassifyIpv4(bytes.subspan(at), map);
}

uint16_t OwnerOfDatagram(uint8_t protocol, uint32_t source,
                         uint32_t destination, ByteView payload,
                         const FlowMap& map, uint16_t self) {
  if (!HasPorts(protocol) || payload.size() < 4) return self;
  return map.OwnerOf({destination, source, LoadBe16(payload.data() + 2),
                      LoadBe16(payload.data())});
}

}  // namespace corelane::dataplane
