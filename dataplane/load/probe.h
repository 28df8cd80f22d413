// The packets that `blast pps` measures with: UDP over IPv4, with a stamp in
// the payload that says which one it is and when it was due, so that whoever
// gets it back can count what was lost, overtaken or doubled, and how long it
// took.
#ifndef CORELANE_DATAPLANE_LOAD_PROBE_H_
#define CORELANE_DATAPLANE_LOAD_PROBE_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/packet/packet.h"
#include "proto/base/address.h"
#include "proto/base/bytes.h"
#include "proto/base/checksum.h"
#include "proto/base/time.h"
#include "proto/ethernet/header.h"
#include "proto/ipv4/header.h"
#include "proto/udp/header.h"

namespace corelane::dataplane {

// Where things are in a frame.
inline constexpr uint16_t kProbeIpAt = ethernet::kHeaderLength;
inline constexpr uint16_t kProbeUdpAt = kProbeIpAt + ipv4::kHeaderLength;
inline constexpr uint16_t kProbeStampAt = kProbeUdpAt + udp::kHeaderLength;
inline constexpr uint16_t kProbeMagic = 0xc07e;  // begins the stamp
// In the flow's number.
inline constexpr uint32_t kProbeCounts = 1u << 31;
// Ethernet, IPv4, UDP, stamp: what the smallest frame holds, without its FCS.
inline constexpr uint16_t kProbeHead = kProbeStampAt + 2 + 4 + 4 + 8;
inline constexpr uint16_t kFcsLength = 4;
inline constexpr uint16_t kMinProbe = kProbeHead + kFcsLength;

struct ProbePlan {
  MacAddress source_mac;
  MacAddress target_mac;
  std::vector<Ipv4Address> sources;  // at least one
  Ipv4Address target;
  uint16_t target_port = 9;
  // Distinct address and port pairs, in turn; at most kPortsPerSource for each
  // source.
  uint32_t flows = 1;
  // Of these only those from `first_flow` on, each `flow_step` after the one
  // before: what one of several cores sends.
  uint32_t first_flow = 0;
  uint32_t flow_step = 1;
  // Of the frames, with FCS, in turn; each at least kMinProbe.
  std::vector<uint16_t> sizes = {kMinProbe};

  static constexpr uint16_t kFirstPort = 1024;
  static constexpr uint32_t kPortsPerSource = 65536 - kFirstPort;
};

// "64", "64,512", "imix" (7 of 64, 4 of 594, 1 of 1518 bytes) or "64-1518"
// (one after the other); nullopt if it is none of these. Bounds are the
// caller's to check.
std::optional<std::vector<uint16_t>> ParseProbeSizes(const std::string& text);

struct ProbeStamp {
  bool counts = false;  // for its sender, which may be another core
  uint32_t flow = 0;
  uint32_t sequence = 0;  // within the flow, from 0
  Time due = kTimeZero;   // by the sender's clock
};

// The stamp of a frame (without FCS) that is a probe, whichever way round its
// addresses are; nullopt otherwise.
std::optional<ProbeStamp> ReadProbe(ByteView frame);

// Makes one probe after the other from templates: per packet only addresses,
// stamp and sums are filled in.
class ProbeWriter {
 public:
  explicit ProbeWriter(const ProbePlan& plan);

  // When the next frames are due, and whether they count.
  void SetDue(Time due, bool counts) {
    due_ = static_cast<uint64_t>(due.time_since_epoch().count());
    counts_ = counts ? kProbeCounts : 0;
    due_sum_ = ChecksumAdd32(
        static_cast<uint32_t>(due_ >> 32),
        ChecksumAdd32(static_cast<uint32_t>(due_), ChecksumAdd32(counts_, 0)));
  }
  // Makes the next frame of a fresh packet that has room for the longest.
  // Returns its length without FCS.
  uint16_t Write(Packet* packet) {
    const Size& size = sizes_[next_size_];
    if (++next_size_ == sizes_.size()) next_size_ = 0;
    TrimTo(packet, size.length);
    packet->l2_len = ethernet::kHeaderLength;
    uint8_t* out = DataOf(packet);
    std::memcpy(out, head_, kProbeHead);
    if (size.length > kProbeHead) {
      std::memset(out + kProbeHead, 0, size.length - kProbeHead);
    }
    StoreBe16(out + kProbeIpAt + 2, size.total_length);
    StoreBe16(out + kProbeIpAt + 10,
              ChecksumFinish(size.ip_sum + address_sum_));
    StoreBe32(out + kProbeIpAt + 12, address_.value());
    const PartialSum sum =
        ChecksumAdd32(round_, size.udp_sum + flow_sum_ + due_sum_);
    StoreBe16(out + kProbeUdpAt, port_);
    StoreBe16(out + kProbeUdpAt + 4, size.udp_length);
    StoreBe16(out + kProbeUdpAt + 6, udp::FinishChecksum(sum));
    StoreBe32(out + kProbeStampAt + 2, flow_ | counts_);
    StoreBe32(out + kProbeStampAt + 6, round_);
    StoreBe32(out + kProbeStampAt + 10, static_cast<uint32_t>(due_ >> 32));
    StoreBe32(out + kProbeStampAt + 14, static_cast<uint32_t>(due_));
    NextFlow();
    return size.length;
  }

 private:
  struct Size {
    uint16_t length;  // without FCS
    uint16_t total_length;
    uint16_t udp_length;
    PartialSum ip_sum;   // of all but the source
    PartialSum udp_sum;  // of all but the source, its port and the stamp
  };

  void NextFlow() {
    flow_ += plan_.flow_step;
    if (flow_ >= plan_.flows) {
      flow_ = plan_.first_flow;
      ++round_;
      if (flow_ + plan_.flow_step >= plan_.flows) return;  // the only one
    }
    TurnToFlow();
  }
  void TurnToFlow();

  ProbePlan plan_;
  std::vector<Size> sizes_;
  size_t next_size_ = 0;
  alignas(64) uint8_t head_[64] = {};
  uint32_t flow_ = 0;
  uint32_t round_ = 0;  // every flow has sent so many
  uint32_t counts_ = 0;
  uint64_t due_ = 0;
  PartialSum due_sum_ = 0;
  Ipv4Address address_;
  PartialSum address_sum_ = 0;
  PartialSum flow_sum_ = 0;  // of address, port and flow number
  size_t source_ = 0;
  uint16_t port_ = ProbePlan::kFirstPort;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_PROBE_H_
