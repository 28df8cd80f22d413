#include "dataplane/load/probe.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace corelane::dataplane {
namespace {

constexpr uint16_t kImix[] = {64, 64,  64,  64,  64,  64,
                              64, 594, 594, 594, 594, 1518};

}  // namespace

std::optional<std::vector<uint16_t>> ParseProbeSizes(const std::string& text) {
  if (text == "imix") return std::vector<uint16_t>(kImix, std::end(kImix));
  constexpr uint32_t kMost = UINT16_MAX;
  std::vector<uint16_t> sizes;
  auto number = [](absl::string_view word) {
    uint32_t n = 0;
    return absl::SimpleAtoi(word, &n) && n <= kMost ? n : 0;
  };
  const std::vector<std::string> ends = absl::StrSplit(text, '-');
  if (ends.size() == 2) {
    const uint32_t low = number(ends[0]);
    const uint32_t high = number(ends[1]);
    if (low == 0 || high < low) return std::nullopt;
    for (uint32_t n = low; n <= high; ++n) {
      sizes.push_back(static_cast<uint16_t>(n));
    }
    return sizes;
  }
  for (absl::string_view word : absl::StrSplit(text, ',')) {
    const uint32_t n = number(word);
    if (n == 0) return std::nullopt;
    sizes.push_back(static_cast<uint16_t>(n));
  }
  return sizes;
}

std::optional<ProbeStamp> ReadProbe(ByteView frame) {
  if (frame.size() < kProbeHead) return std::nullopt;
  const uint8_t* p = frame.data();
  const bool probe = LoadBe16(p + 12) == ethernet::kIpv4 &&
                     p[kProbeIpAt] == 0x45 && p[kProbeIpAt + 9] == ipv4::kUdp &&
                     LoadBe16(p + kProbeStampAt) == kProbeMagic;
  if (!probe) return std::nullopt;
  ProbeStamp stamp;
  const uint32_t flow = LoadBe32(p + kProbeStampAt + 2);
  stamp.counts = (flow & kProbeCounts) != 0;
  stamp.flow = flow & ~kProbeCounts;
  stamp.sequence = LoadBe32(p + kProbeStampAt + 6);
  const uint64_t ns = uint64_t{LoadBe32(p + kProbeStampAt + 10)} << 32 |
                      LoadBe32(p + kProbeStampAt + 14);
  stamp.due = Time(Duration(static_cast<int64_t>(ns)));
  return stamp;
}

ProbeWriter::ProbeWriter(const ProbePlan& plan) : plan_(plan) {
  ethernet::Write(head_, {.destination = plan.target_mac,
                          .source = plan.source_mac,
                          .ether_type = ethernet::kIpv4});
  ipv4::Header ip;
  ip.source = Ipv4Address();
  ip.destination = plan.target;
  ip.protocol = ipv4::kUdp;
  ip.dont_fragment = true;
  for (const uint16_t with_fcs : plan.sizes) {
    Size size{};
    size.length = static_cast<uint16_t>(with_fcs - kFcsLength);
    size.total_length = static_cast<uint16_t>(size.length - kProbeIpAt);
    size.udp_length = static_cast<uint16_t>(size.length - kProbeUdpAt);
    ip.total_length = size.total_length;
    ipv4::Write(head_ + kProbeIpAt, ip);
    StoreBe16(head_ + kProbeIpAt + 10, 0);
    size.ip_sum = ChecksumAdd({head_ + kProbeIpAt, ipv4::kHeaderLength});
    PartialSum sum = PseudoHeaderSum(Ipv4Address(), plan.target,
                                     udp::kIpProtocol, size.udp_length);
    sum = ChecksumAdd16(plan.target_port, sum);
    sum = ChecksumAdd16(size.udp_length, sum);
    size.udp_sum = ChecksumAdd16(kProbeMagic, sum);
    sizes_.push_back(size);
  }
  StoreBe16(head_ + kProbeUdpAt + 2, plan.target_port);
  StoreBe16(head_ + kProbeStampAt, kProbeMagic);
  flow_ = plan.first_flow;
  TurnToFlow();
}

void ProbeWriter::TurnToFlow() {
  const auto sources = static_cast<uint32_t>(plan_.sources.size());
  if (flow_ == plan_.first_flow || plan_.flow_step != 1) {
    source_ = flow_ % sources;
    port_ = static_cast<uint16_t>(ProbePlan::kFirstPort + flow_ / sources);
  } else if (++source_ == sources) {
    source_ = 0;
    ++port_;
  }
  address_ = plan_.sources[source_];
  address_sum_ = ChecksumAdd32(address_.value(), 0);
  flow_sum_ = ChecksumAdd32(flow_, ChecksumAdd16(port_, address_sum_));
}

}  // namespace corelane::dataplane
