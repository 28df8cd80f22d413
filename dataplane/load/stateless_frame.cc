#include "dataplane/load/stateless_frame.h"

#include <cstring>

#include "proto/tcp/timestamps.h"

namespace corelane::dataplane {
namespace {

// It never shrinks: what came is taken at once.
constexpr uint16_t kWindow = 65535;
constexpr uint16_t kTimestampsLength = 12;

ByteView BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

StatelessWriter::StatelessWriter(const StatelessPath& path,
                                 const std::string& request)
    : request_(request), target_port_(path.target_port), mss_(path.mss) {
  ethernet::Write(head_, {.destination = path.target_mac,
                          .source = path.source_mac,
                          .ether_type = ethernet::kIpv4});
  ipv4::Header ip;
  ip.source = Ipv4Address();
  ip.destination = path.target;
  ip.protocol = ipv4::kTcp;
  ip.dont_fragment = true;
  ip.total_length = 0;
  ipv4::Write(head_ + kIpAt, ip, /*with_checksum=*/false);
  ip_sum_ = ChecksumAdd({head_ + kIpAt, ipv4::kHeaderLength});
  tcp_sum_ = PseudoHeaderSum(Ipv4Address(), path.target, ipv4::kTcp, 0);
  request_sum_ = ChecksumAdd(BytesOf(request_));
}

void StatelessWriter::Finish(Packet* packet, Ipv4Address source,
                             uint16_t header_length, bool request) const {
  uint8_t* p = DataOf(packet);
  const uint16_t payload = request ? static_cast<uint16_t>(request_.size()) : 0;
  const auto segment = static_cast<uint16_t>(header_length + payload);
  const auto total = static_cast<uint16_t>(ipv4::kHeaderLength + segment);
  std::memcpy(p, head_, kTcpAt);
  const PartialSum address = ChecksumAdd32(source.value(), 0);
  StoreBe16(p + kIpAt + 2, total);
  StoreBe16(p + kIpAt + 10,
            ChecksumFinish(ChecksumAdd16(total, ip_sum_ + address)));
  StoreBe32(p + kIpAt + 12, source.value());
  PartialSum sum = ChecksumAdd16(segment, tcp_sum_ + address);
  sum = ChecksumAdd({p + kTcpAt, header_length}, sum);
  if (request) {
    std::memcpy(p + kTcpAt + header_length, request_.data(), payload);
    sum += request_sum_;
  }
  StoreBe16(p + kTcpAt + 16, ChecksumFinish(sum));
  TrimTo(packet, static_cast<uint16_t>(kTcpAt + segment));
}

void StatelessWriter::Syn(Packet* packet, Ipv4Address source, uint16_t port,
                          SeqNum isn, uint32_t timestamp) const {
  uint8_t* tcp = DataOf(packet) + kTcpAt;
  const auto options = static_cast<uint16_t>(tcp::WriteSynOptions(
      tcp + tcp::kHeaderLength,
      {.mss = mss_, .has_timestamps = true, .ts_value = timestamp}));
  const auto length = static_cast<uint16_t>(tcp::kHeaderLength + options);
  tcp::Write(tcp, {.source_port = port,
                   .destination_port = target_port_,
                   .seq = isn,
                   .ack = SeqNum(0),
                   .flags = tcp::kSyn,
                   .window = kWindow,
                   .header_length = length});
  Finish(packet, source, length, /*request=*/false);
}

void StatelessWriter::Answer(Packet* packet, Ipv4Address source, uint16_t port,
                             const StatelessAnswer& answer) const {
  uint8_t* tcp = DataOf(packet) + kTcpAt;
  uint16_t length = tcp::kHeaderLength;
  if (answer.has_timestamps) {
    uint8_t* options = tcp + length;
    StoreBe32(options, tcp::kTimestampsPrefix);
    StoreBe32(options + 4, answer.ts_value);
    StoreBe32(options + 8, answer.ts_echo);
    length += kTimestampsLength;
  }
  tcp::Write(tcp, {.source_port = port,
                   .destination_port = target_port_,
                   .seq = answer.seq,
                   .ack = answer.ack,
                   .flags = answer.flags,
                   .window = kWindow,
                   .header_length = length});
  Finish(packet, source, length, answer.request);
}

void StatelessWriter::Reset(Packet* packet, Ipv4Address source, uint16_t port,
                            SeqNum seq) const {
  tcp::Write(DataOf(packet) + kTcpAt, {.source_port = port,
                                       .destination_port = target_port_,
                                       .seq = seq,
                                       .ack = SeqNum(0),
                                       .flags = tcp::kRst,
                                       .window = 0});
  Finish(packet, source, tcp::kHeaderLength, /*request=*/false);
}

}  // namespace corelane::dataplane
