// ICMP messages on arbitrary bytes: parsing, the quotation in errors, writing
// errors about whatever came, and replying to echo requests.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/icmp/error_policy.h"
#include "proto/icmp/message.h"
#include "proto/ipv4/header.h"

namespace corelane::icmp {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void CheckQuoted(ByteView body) {
  QuotedPacket q;
  if (ParseQuoted(body, q) != QuoteStatus::kOk) return;
  Check(q.transport.size() + 20 <= body.size());
  Check(!q.has_ports || q.transport.size() >= 4);
  Check(!q.has_seq || (q.has_ports && q.transport.size() >= 8));
  Check(!q.has_ports || q.first_fragment);
  if (!q.transport.empty()) {
    Check(q.transport.data() >= body.data() + 20);
    Check(&q.transport.back() <= &body.back());
  }
}

void CheckMessage(std::vector<uint8_t> bytes) {
  Message m;
  const ParseStatus strict = Parse(bytes, true, m);
  const ParseStatus status = Parse(bytes, false, m);
  Check(strict == status || strict == ParseStatus::kBadChecksum);
  if (status != ParseStatus::kOk) return;
  Check(m.body.size() + kHeaderLength == bytes.size());
  if (MayBeError(m.type)) CheckQuoted(m.body);
  if (strict == ParseStatus::kOk && m.type == kEchoRequest) {
    TurnEchoRequestIntoReply(bytes.data());
    Check(Parse(bytes, true, m) == ParseStatus::kOk && m.type == kEchoReply);
  }
}

// An error about a packet, if it is one that may have an error, must come back
// as what was put into it.
void CheckError(ByteView packet, size_t room, const Error& error) {
  ipv4::Header h;
  if (ipv4::Parse(packet, h, false) != ipv4::ParseStatus::kOk) return;
  const ByteView payload = packet.subspan(h.header_length, h.PayloadLength());
  if (MaySendError(h, payload, false, false) != ErrorVerdict::kMaySend) return;
  std::vector<uint8_t> out(room);
  const uint16_t length = WriteError(out, error, packet);
  Check(length <= room && length <= kMaxErrorLength);
  if (length == 0) {
    Check(room < size_t{kHeaderLength} + h.header_length + 8);
    return;
  }
  Message m;
  Check(Parse({out.data(), length}, true, m) == ParseStatus::kOk);
  Check(m.body.size() <= h.total_length);
  Check(std::memcmp(m.body.data(), packet.data(), m.body.size()) == 0);
  QuotedPacket q;
  Check(ParseQuoted(m.body, q) == QuoteStatus::kOk);
  Check(q.source == h.source && q.destination == h.destination);
  Check(q.protocol == h.protocol && q.total_length == h.total_length);
}

}  // namespace
}  // namespace corelane::icmp

// The first three bytes choose an error and the room for it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace corelane;  // NOLINT(google-build-using-namespace)
  if (size < 3) return 0;
  const std::vector<uint8_t> rest(data + 3, data + size);
  icmp::CheckMessage(rest);
  icmp::CheckQuoted(rest);
  icmp::CheckError(rest, size_t{data[0]} * 4,
                   {.type = data[1], .code = data[2], .next_hop_mtu = 1400});
  return 0;
}
