#include "tests/packetdrill/segments.h"

#include <algorithm>

namespace corelane::packetdrill {
namespace {

using sim::Frame;

constexpr uint8_t kFirstOnly = tcp::kSyn | tcp::kCwr;
constexpr uint8_t kLastOnly = tcp::kPsh | tcp::kFin;

Frame ToFrame(ByteView packet, const MacAddress& from, const MacAddress& to) {
  sim::Ends ends;
  ends.source_mac = from;
  ends.destination_mac = to;
  return sim::EthernetFrame(ends, ethernet::kIpv4, packet);
}

// What a receiver has merged (GRO, LRO) was of equal segments, but for a
// shorter one at the end: as few as possible, and equal ones if that can be.
size_t PieceOf(size_t length, size_t most) {
  const size_t pieces = (length + most - 1) / most;
  return length % pieces == 0 ? length / pieces : most;
}

}  // namespace

std::vector<Frame> ToFrames(ByteView packet, size_t max_payload,
                            const MacAddress& from, const MacAddress& to) {
  std::vector<Frame> frames;
  const size_t ip = packet.size() < ipv4::kHeaderLength
                        ? packet.size()
                        : (packet[0] & 0x0f) * size_t{4};
  if (packet.size() < ip + tcp::kHeaderLength || packet[9] != ipv4::kTcp ||
      packet.size() <= ip + tcp::kHeaderLength + max_payload) {
    frames.push_back(ToFrame(packet, from, to));
    return frames;
  }
  const size_t headers = ip + (packet[ip + 12] >> 4) * size_t{4};
  const uint32_t seq = LoadBe32(packet.data() + ip + 4);
  const uint8_t flags = packet[ip + 13];
  const ByteView payload = packet.subspan(headers);
  const size_t piece = PieceOf(payload.size(), max_payload);
  for (size_t at = 0; at < payload.size(); at += piece) {
    const size_t n = std::min(piece, payload.size() - at);
    std::vector<uint8_t> part(packet.begin(),
                              packet.begin() + static_cast<ptrdiff_t>(headers));
    part.insert(part.end(), payload.begin() + static_cast<ptrdiff_t>(at),
                payload.begin() + static_cast<ptrdiff_t>(at + n));
    StoreBe16(part.data() + 2, static_cast<uint16_t>(part.size()));
    const uint32_t syn = at > 0 && (flags & tcp::kSyn) != 0 ? 1 : 0;
    StoreBe32(part.data() + ip + 4, seq + static_cast<uint32_t>(at) + syn);
    uint8_t kept = flags;
    if (at > 0) kept &= static_cast<uint8_t>(~kFirstOnly);
    if (at + n < payload.size()) kept &= static_cast<uint8_t>(~kLastOnly);
    part[ip + 13] = kept;
    Frame frame = ToFrame(part, from, to);
    sim::FixChecksums(frame);
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace corelane::packetdrill
