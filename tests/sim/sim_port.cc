#include "tests/sim/sim_port.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "proto/base/checksum.h"

namespace corelane::sim {

using dataplane::Packet;

void SimPort::Deliver(Frame frame) {
  if (rx_.size() >= config_.rx_queue) {
    ++missed_;
    return;
  }
  rx_.push_back(std::move(frame));
}

std::vector<Frame> SimPort::TakeSent() { return std::exchange(sent_, {}); }

void SimPort::ReleaseHeld() {
  for (Packet* packet : held_) pool_->Free(packet);
  held_.clear();
}

// What a card that verifies checksums says of a frame.
uint64_t SimPort::ChecksumFlags(ByteView frame) const {
  if (!config_.rx_checksum) return 0;
  ethernet::Header eth;
  if (ethernet::Parse(frame, eth) != ethernet::ParseStatus::kOk ||
      eth.ether_type != ethernet::kIpv4) {
    return 0;
  }
  const ByteView inner = frame.subspan(eth.header_length);
  if (inner.size() < ipv4::kHeaderLength || inner[0] >> 4 != 4) return 0;
  const size_t header = (inner[0] & 0x0f) * size_t{4};
  const size_t total = LoadBe16(inner.data() + 2);
  if (header < ipv4::kHeaderLength || header > total || total > inner.size()) {
    return 0;
  }
  uint64_t flags = ChecksumFold(ChecksumAdd(inner.first(header))) == 0xffff
                       ? RTE_MBUF_F_RX_IP_CKSUM_GOOD
                       : RTE_MBUF_F_RX_IP_CKSUM_BAD;
  const bool fragment = (LoadBe16(inner.data() + 6) & 0x3fff) != 0;
  const uint8_t protocol = inner[9];
  if (fragment || (protocol != ipv4::kTcp && protocol != ipv4::kUdp)) {
    return flags;
  }
  const ByteView l4 = inner.subspan(header, total - header);
  if (protocol == ipv4::kUdp &&
      (l4.size() < udp::kHeaderLength || LoadBe16(l4.data() + 6) == 0)) {
    return flags;
  }
  const PartialSum pseudo =
      PseudoHeaderSum(Ipv4Address(LoadBe32(inner.data() + 12)),
                      Ipv4Address(LoadBe32(inner.data() + 16)), protocol,
                      static_cast<uint16_t>(l4.size()));
  flags |= ChecksumFold(ChecksumAdd(l4, pseudo)) == 0xffff
               ? RTE_MBUF_F_RX_L4_CKSUM_GOOD
               : RTE_MBUF_F_RX_L4_CKSUM_BAD;
  return flags;
}

Packet* SimPort::ToPacket(const Frame& frame) {
  const size_t room = dataplane::kPacketBufferSize - dataplane::kPacketHeadroom;
  const size_t piece = config_.rx_segment == 0
                           ? room
                           : std::min<size_t>(config_.rx_segment, room);
  Packet* head = nullptr;
  Packet* tail = nullptr;
  for (size_t at = 0; at < frame.size() || head == nullptr; at += piece) {
    Packet* packet = pool_->Alloc();
    if (packet == nullptr) {
      if (head != nullptr) pool_->Free(head);
      return nullptr;
    }
    const size_t n = std::min(piece, frame.size() - at);
    if (n > 0) {
      std::memcpy(dataplane::Append(packet, static_cast<uint16_t>(n)),
                  frame.data() + at, n);
    }
    if (head == nullptr) {
      head = packet;
    } else {
      tail->next = packet;
      ++head->nb_segs;
      head->pkt_len += static_cast<uint32_t>(n);
    }
    tail = packet;
  }
  head->ol_flags = ChecksumFlags(frame);
  return head;
}

uint16_t SimPort::RxBurst(Packet** packets, uint16_t n) {
  uint16_t done = 0;
  while (done < n && !rx_.empty()) {
    Packet* packet = ToPacket(rx_.front());
    rx_.pop_front();
    if (packet == nullptr) {
      ++no_packet_;
      continue;
    }
    packets[done++] = packet;
  }
  return done;
}

// What DPDK demands of a packet that is handed to a driver.
void SimPort::CheckSent(const Packet* packet) {
  uint32_t bytes = 0;
  uint32_t segments = 0;
  for (const Packet* p = packet; p != nullptr; p = p->next) {
    bytes += p->data_len;
    ++segments;
    if (p->refcnt == 0) problem_ = "a free packet was sent";
    if (p->data_off + p->data_len > p->buf_len) {
      problem_ = "a packet's data lies outside its buffer";
    }
    if (p->data_len == 0) problem_ = "an empty segment was sent";
  }
  if (bytes != packet->pkt_len) problem_ = "pkt_len is not what was sent";
  if (segments != packet->nb_segs) problem_ = "nb_segs is not what was sent";
  if (segments > 1 && !config_.caps.tx_multi_segs) {
    problem_ = "a chain was sent to a card that takes none";
  }
  const uint64_t l4 = packet->ol_flags & RTE_MBUF_F_TX_L4_MASK;
  if ((packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0) {
    if (packet->tso_segsz == 0 || packet->tso_segsz > config_.caps.tso_piece) {
      problem_ = "a card was to cut a segment in a way that it cannot";
    }
    if (segments > config_.caps.tso_buffers) {
      problem_ = "a segment to be cut lies in too many buffers";
    }
  }
  if (((packet->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0 &&
       !config_.caps.tx_ipv4_checksum) ||
      (l4 == RTE_MBUF_F_TX_TCP_CKSUM && !config_.caps.tx_tcp_checksum) ||
      (l4 == RTE_MBUF_F_TX_UDP_CKSUM && !config_.caps.tx_udp_checksum)) {
    problem_ = "a checksum was asked of a card that has no such offload";
  }
}

// Fills in checksums as cards do it: the sum over the transport header and what
// follows, whose checksum field holds the pseudo-header's sum.
void SimPort::Offload(const Packet* packet, Frame& frame) {
  const size_t ip = packet->l2_len;
  const size_t l4 = ip + packet->l3_len;
  const uint64_t wanted = packet->ol_flags & RTE_MBUF_F_TX_L4_MASK;
  const size_t field = l4 + (wanted == RTE_MBUF_F_TX_TCP_CKSUM ? 16 : 6);
  if (wanted != 0) {
    if (field + 2 > frame.size() || l4 <= ip) {
      problem_ = "l2_len and l3_len do not lead to the transport header";
      return;
    }
    const PartialSum sum = ChecksumAdd({frame.data() + l4, frame.size() - l4});
    StoreBe16(frame.data() + field, wanted == RTE_MBUF_F_TX_UDP_CKSUM
                                        ? udp::FinishChecksum(sum)
                                        : ChecksumFinish(sum));
  }
  if ((packet->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0) {
    if (l4 > frame.size() || l4 < ip + ipv4::kHeaderLength) {
      problem_ = "l3_len is no IP header's";
      return;
    }
    StoreBe16(frame.data() + ip + 10, 0);
    StoreBe16(frame.data() + ip + 10,
              ChecksumFinish(ChecksumAdd({frame.data() + ip, l4 - ip})));
  }
}

Frame SimPort::Flatten(const Packet* packet) {
  Frame frame;
  frame.reserve(std::max<size_t>(packet->pkt_len, ethernet::kMinFrameLength));
  for (const Packet* p = packet; p != nullptr; p = p->next) {
    const ByteView bytes = dataplane::BytesOf(p);
    frame.insert(frame.end(), bytes.begin(), bytes.end());
  }
  return frame;
}

// Cuts a TCP segment as cards do: each piece has the headers, in which length,
// sequence number and flags are its own, and to the pseudo-header's sum, which
// came without a length, its own is added.
void SimPort::SendPieces(const Packet* packet) {
  const Frame whole = Flatten(packet);
  const size_t ip = packet->l2_len;
  const size_t tcp = ip + packet->l3_len;
  const size_t headers = tcp + packet->l4_len;
  if (headers >= whole.size() || packet->l4_len < tcp::kHeaderLength ||
      whole[tcp + 12] >> 4 << 2 != packet->l4_len ||
      LoadBe16(whole.data() + ip + 2) != whole.size() - ip) {
    problem_ = "the headers of a segment to be cut are not what it says";
    return;
  }
  const size_t piece = packet->tso_segsz;
  const uint32_t seq = LoadBe32(whole.data() + tcp + 4);
  uint32_t pieces = 0;
  for (size_t at = headers; at < whole.size(); at += piece, ++pieces) {
    const size_t n = std::min(piece, whole.size() - at);
    Frame frame(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(headers));
    frame.insert(frame.end(), whole.begin() + static_cast<ptrdiff_t>(at),
                 whole.begin() + static_cast<ptrdiff_t>(at + n));
    StoreBe16(frame.data() + ip + 2, static_cast<uint16_t>(frame.size() - ip));
    StoreBe32(frame.data() + tcp + 4,
              seq + static_cast<uint32_t>(at - headers));
    if (at + n < whole.size()) {
      frame[tcp + 13] &= static_cast<uint8_t>(~(tcp::kPsh | tcp::kFin));
    }
    const PartialSum sum =
        PartialSum{LoadBe16(frame.data() + tcp + 16)} + frame.size() - tcp;
    StoreBe16(frame.data() + tcp + 16, ChecksumFold(sum));
    Offload(packet, frame);
    Send(std::move(frame));
  }
  if (pieces < 2) problem_ = "a segment was to be cut that fits one";
}

void SimPort::Send(Frame frame) {
  if (frame.size() < ethernet::kMinFrameLength) {
    frame.resize(ethernet::kMinFrameLength);
  }
  if (const char* wrong = CheckFrame(frame, config_.mtu)) problem_ = wrong;
  sent_.push_back(std::move(frame));
}

uint16_t SimPort::TxBurst(Packet** packets, uint16_t n) {
  if (config_.tx_stall_every > 0 && ++tx_calls_ % config_.tx_stall_every == 0) {
    return 0;
  }
  const auto take =
      static_cast<uint16_t>(std::min<uint32_t>(n, config_.tx_burst));
  for (uint16_t i = 0; i < take; ++i) {
    CheckSent(packets[i]);
    if ((packets[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0) {
      SendPieces(packets[i]);
    } else {
      Frame frame = Flatten(packets[i]);
      Offload(packets[i], frame);
      Send(std::move(frame));
    }
    held_.push_back(packets[i]);
  }
  while (held_.size() > config_.tx_hold) {
    pool_->Free(held_.front());
    held_.pop_front();
  }
  return take;
}

}  // namespace corelane::sim
