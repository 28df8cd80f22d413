#include "dataplane/load/stateless_client.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/pipeline.h"
#include "proto/tcp/timestamps.h"

namespace corelane::dataplane {
namespace {

// With so many that the device has not taken yet, it is the limit. What is left
// of the queue is for answers.
constexpr uint32_t kMaxUntaken = 128;
constexpr uint16_t kMssOverhead = ipv4::kHeaderLength + tcp::kHeaderLength;

struct Received {
  ipv4::Header ip;
  tcp::Segment segment;
  ByteView payload;
};

// A sound TCP segment. What is none goes to the stack, which drops it by name.
bool Parse(const Packet* packet, Received& out) {
  const ByteView frame = BytesOf(packet);
  if (packet->nb_segs > 1 || frame.size() < ethernet::kHeaderLength ||
      LoadBe16(frame.data() + 12) != ethernet::kIpv4) {
    return false;
  }
  const ByteView bytes = frame.subspan(ethernet::kHeaderLength);
  if (ipv4::Parse(bytes, out.ip, !IpSumVerified(packet)) !=
          ipv4::ParseStatus::kOk ||
      out.ip.protocol != ipv4::kTcp || out.ip.IsFragment()) {
    return false;
  }
  const ByteView segment =
      bytes.subspan(out.ip.header_length, out.ip.PayloadLength());
  if (tcp::Parse(segment, out.segment) != tcp::ParseStatus::kOk) return false;
  out.payload = segment.subspan(out.segment.header_length);
  return L4SumVerified(packet) ||
         ChecksumFold(ChecksumAdd(
             segment, PseudoHeaderSum(out.ip.source, out.ip.destination,
                                      ipv4::kTcp, out.ip.PayloadLength()))) ==
             0xffff;
}

tcp::Options OptionsOf(const tcp::Segment& segment) {
  const ByteView bytes = segment.OptionBytes();
  // As everybody writes them, alone.
  if (bytes.size() == 12 && LoadBe32(bytes.data()) == tcp::kTimestampsPrefix) {
    tcp::Options options;
    options.has_timestamps = true;
    options.ts_value = LoadBe32(bytes.data() + 4);
    options.ts_echo = LoadBe32(bytes.data() + 8);
    return options;
  }
  return tcp::ParseOptions(bytes);
}

}  // namespace

absl::Status StatelessClient::Attach(Pipeline* pipeline, uint16_t id,
                                     FrameSink* sink) {
  pipeline_ = pipeline;
  absl::Status status = next_hop_.Attach(pipeline, id, target_, "--stateless");
  if (!status.ok()) return status;
  pipeline->SetFrameSink(sink);
  if (sources_.empty()) sources_ = {next_hop_.source()};
  Rng& rng = pipeline->core().rng;
  isn_ =
      StatelessIsn({rng.Next64(), rng.Next64()}, target_.address, target_.port);
  return absl::OkStatus();
}

StatelessClient::State StatelessClient::Resolve(Time now, Duration timeout) {
  if (writer_.has_value()) return State::kReady;
  const MacAddress mac = next_hop_.Find(now);
  if (mac.IsZero()) {
    if (give_up_ == kTimeNever) give_up_ = now + timeout;
    return now < give_up_ ? State::kAsking : State::kNobody;
  }
  const InterfaceConfig& interface =
      pipeline_->interfaces()[next_hop_.interface()].config;
  StatelessPath path;
  path.source_mac = interface.mac;
  path.target_mac = mac;
  path.target = target_.address;
  path.target_port = target_.port;
  path.mss = static_cast<uint16_t>(interface.mtu - kMssOverhead);
  writer_.emplace(path, config_.rules.request);
  next_hop_.Close();
  return State::kReady;
}

std::string StatelessClient::why() const {
  return absl::StrCat("nobody answers ARP for ", ToString(next_hop_.address()));
}

uint32_t StatelessClient::Room() const {
  if (!waiting_.empty()) return 0;
  const uint32_t waiting =
      TxQueue::kCapacity - pipeline_->tx(next_hop_.interface()).room();
  return waiting < kMaxUntaken ? kMaxUntaken - waiting : 0;
}

Packet* StatelessClient::Alloc() {
  Core& core = pipeline_->core();
  Packet* packet = core.pool.Alloc();
  if (packet != nullptr) core.NoteBound(1);
  return packet;
}

bool StatelessClient::Queue(Packet* packet) {
  Core& core = pipeline_->core();
  if (!pipeline_->tx(next_hop_.interface()).Push(packet)) return false;
  ++core.counters.tx_packets;
  core.counters.tx_bytes += packet->pkt_len;
  return true;
}

void StatelessClient::Push(Packet* packet) {
  if (waiting_.empty() && Queue(packet)) return;
  if (!closed_ && waiting_.Push(packet)) return;
  ++pipeline_->core().counters.tx_dropped_full;
  pipeline_->core().pool.Free(packet);
}

void StatelessClient::Flush() {
  for (; !waiting_.empty() && Queue(waiting_.Front()); waiting_.Pop()) {
  }
}

void StatelessClient::Close() {
  closed_ = true;
  Flush();
  for (; !waiting_.empty(); waiting_.Pop()) {
    pipeline_->core().pool.Free(waiting_.Front());
  }
}

void StatelessClient::NextFlow() {
  if (++source_ < sources_.size()) return;
  source_ = 0;
  if (++port_at_ < config_.ports) return;
  port_at_ = 0;
  ++round_;
}

// Rounded up, so that nothing seems to be due before what counts begins.
Time StatelessClient::Rounded(Time due) const {
  return kTimeZero +
         std::chrono::ceil<std::chrono::microseconds>(due.time_since_epoch());
}

uint32_t StatelessClient::Micros(Time time) const {
  return config_.epoch + tcp::ToMicros(time.time_since_epoch());
}

std::optional<Time> StatelessClient::DueOf(uint32_t echo, Time now) const {
  const Time rounded = Rounded(now);
  const auto ago = static_cast<int32_t>(Micros(rounded) - echo);
  if (ago < 0) return std::nullopt;  // nothing that we have sent
  return rounded - ago * 1us;
}

bool StatelessClient::Open(Time due) {
  Packet* packet = Alloc();
  if (packet == nullptr) return false;
  const Ipv4Address source = sources_[source_];
  writer_->Syn(packet, source, port(), isn_.Of(source, port(), round_),
               Micros(Rounded(due)));
  Push(packet);
  NextFlow();
  return true;
}

bool StatelessClient::Reset() {
  Packet* packet = Alloc();
  if (packet == nullptr) return false;
  const Ipv4Address source = sources_[source_];
  const auto request = static_cast<uint32_t>(config_.rules.request.size());
  writer_->Reset(packet, source, port(),
                 isn_.Of(source, port(), 0) + 1 + request);
  Push(packet);
  NextFlow();
  return true;
}

SeqNum StatelessClient::IsnOf(Ipv4Address source, uint16_t port,
                              SeqNum ack) const {
  const SeqNum isn = isn_.Of(source, port, round_);
  const bool before =
      round_ > 0 && !Acknowledges(ack, isn, config_.rules.request.size());
  return before ? isn_.Of(source, port, round_ - 1) : isn;
}

StatelessSeen StatelessClient::Take(uint16_t interface, Packet* packet,
                                    Time now) {
  StatelessSeen seen;
  Received in;
  if (!writer_.has_value() || interface != next_hop_.interface() ||
      !Parse(packet, in)) {
    return seen;
  }
  const Interface& here = pipeline_->interfaces()[interface];
  const Ipv4Address source = in.ip.destination;
  const uint16_t port = in.segment.destination_port;
  if (MacAddress::Load(DataOf(packet)) != here.config.mac ||
      in.ip.source != target_.address ||
      in.segment.source_port != target_.port ||
      port < StatelessConfig::kFirstPort || !here.HasAddress(source)) {
    return seen;
  }
  seen.ours = true;
  const tcp::Options options = OptionsOf(in.segment);
  const StatelessAnswer answer =
      AnswerTo(in.segment, in.payload, options,
               IsnOf(source, port, in.segment.ack), config_.rules);
  seen.event = answer.event;
  seen.payload = answer.payload;
  seen.bytes = in.segment.payload_length;
  if (answer.request) {
    seen.requested = static_cast<uint16_t>(config_.rules.request.size());
  }
  if (options.has_timestamps) seen.due = DueOf(options.ts_echo, now);
  if (answer.flags != 0) {
    Packet* out = Alloc();
    if (out != nullptr) {
      writer_->Answer(out, source, port, answer);
      Push(out);
    }
  }
  pipeline_->core().pool.Free(packet);
  return seen;
}

}  // namespace corelane::dataplane
