#include "dataplane/load/packet_load.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/pipeline.h"
#include "proto/ethernet/header.h"
#include "proto/ipv4/header.h"

namespace corelane::dataplane {
namespace {

constexpr uint32_t kFramesPerTurn = 96;
// With so many that the device has not taken yet, it is the limit.
constexpr uint32_t kMaxWaiting = 128;

uint32_t RoomInQueue(const TxQueue& tx) {
  const uint32_t waiting = TxQueue::kCapacity - tx.room();
  return waiting < kMaxWaiting ? kMaxWaiting - waiting : 0;
}

void Swap(uint8_t* a, uint8_t* b, size_t n) { std::swap_ranges(a, a + n, b); }

}  // namespace

PacketLoad::PacketLoad(const PacketLoadConfig& config)
    : Load(config.load), options_(config), mode_(config.mode) {
  if (mode_ == Mode::kBoth) meters_.resize(config.flows);
  if (mode_ == Mode::kReceive) meters_.resize(kMaxFlows);
}

absl::Status PacketLoad::Attach(Pipeline* pipeline, uint16_t id) {
  pipeline_ = pipeline;
  pipeline->SetFrameSink(this);
  if (!sends()) return absl::OkStatus();
  absl::Status status =
      next_hop_.Attach(pipeline, id, config_.target, "blast pps");
  if (!status.ok()) return status;
  interface_ = next_hop_.interface();
  if (config_.sources.empty()) config_.sources = {next_hop_.source()};
  return absl::OkStatus();
}

bool PacketLoad::Resolve(Time now) {
  const MacAddress mac =
      options_.target_mac.IsZero() ? next_hop_.Find(now) : options_.target_mac;
  if (mac.IsZero()) {
    if (give_up_ == kTimeNever) give_up_ = now + config_.timeout;
    return false;
  }
  ProbePlan plan;
  plan.source_mac = pipeline_->interfaces()[interface_].config.mac;
  plan.target_mac = mac;
  plan.sources = config_.sources;
  plan.target = config_.target.address;
  plan.target_port = config_.target.port;
  plan.flows = options_.flows;
  plan.first_flow = options_.core;
  plan.flow_step = options_.cores;
  plan.sizes = options_.sizes;
  writer_.emplace(plan);
  give_up_ = kTimeNever;
  next_hop_.Close();
  return true;
}

Time PacketLoad::OnTurn(Time now) {
  if (over_) return kTimeNever;
  if (!began() && !stopped()) {
    if (sends() && !Resolve(now)) {
      if (now < give_up_) return std::min(next_hop_.again(), give_up_);
      why_ = absl::StrCat("nobody answers ARP for ",
                          ToString(next_hop_.address()));
      tally_.Note(Outcome::kUnreachable);
      over_ = true;
      return kTimeNever;
    }
    Begin(now);
  }
  if (!Over(now)) {
    if (!sends()) return end();
    Send(now, kFramesPerTurn);
    return pace_ ? std::min(end(), pace_->next()) : now + 1us;
  }
  if (give_up_ == kTimeNever) {
    give_up_ = now + config_.timeout;
    // What a late turn has left goes out as well, as far as there is room.
    if (sends()) Send(now, TxQueue::kCapacity);
  }
  const bool waits = mode_ == Mode::kBoth && !stopped() &&
                     (came_back_ < went_out_ || options_.cores > 1);
  if (waits && now < give_up_) return give_up_;
  End();
  return kTimeNever;
}

void PacketLoad::Send(Time now, uint32_t most) {
  if (stopped()) return;
  const TxQueue& tx = pipeline_->tx(interface_);
  const uint32_t room = Over(now) ? tx.room() : RoomInQueue(tx);
  most = std::min(most, room);
  if (!pace_) {
    if (now < end()) SendBurst(most, now);
    return;
  }
  for (uint32_t n = 0;
       n < most && pace_->next() <= now && pace_->next() < end(); ++n) {
    if (SendBurst(1, pace_->next()) == 0) return;
    pace_->Take();
  }
}

uint32_t PacketLoad::SendBurst(uint32_t n, Time due) {
  Core& core = pipeline_->core();
  TxQueue& tx = pipeline_->tx(interface_);
  writer_->SetDue(due, Counts(due));
  uint32_t got = 0;
  uint64_t bytes = 0;
  for (; got < n; ++got) {
    Packet* packet = core.pool.Alloc();
    if (packet == nullptr) break;
    bytes += writer_->Write(packet);
    tx.Push(packet);
  }
  core.NoteBound(got);
  core.counters.tx_packets += got;
  core.counters.tx_bytes += bytes;
  if (!Counts(due)) return got;
  went_out_ += got;
  Tally& tally = TallyOf(due);
  tally.sent += got;
  tally.bytes_out += bytes;
  // What nobody is to send back is done with.
  if (mode_ == Mode::kSend) {
    tally.outcomes[static_cast<size_t>(Outcome::kOk)] += got;
  }
  return got;
}

void PacketLoad::Add(Outcome outcome, int64_t n) {
  if (n > 0) {
    tally_.outcomes[static_cast<size_t>(outcome)] += static_cast<uint64_t>(n);
  }
}

uint32_t PacketLoad::OnFrames(uint16_t interface, std::span<Packet*> burst,
                              Time now) {
  uint32_t kept = 0;
  for (Packet* packet : burst) {
    if (mode_ == Mode::kReflect && Reflect(interface, packet)) continue;
    const auto stamp = mode_ == Mode::kBoth || mode_ == Mode::kReceive
                           ? ReadProbe(BytesOf(packet))
                           : std::nullopt;
    if (!stamp.has_value() || stamp->flow >= meters_.size()) {
      // The stack's own business, ARP say.
      if (began()) ++tally_.foreign;
      burst[kept++] = packet;
      continue;
    }
    CountProbe(*stamp, static_cast<uint16_t>(packet->pkt_len), now);
    pipeline_->core().pool.Free(packet);
  }
  return kept;
}

void PacketLoad::CountProbe(const ProbeStamp& stamp, uint16_t length,
                            Time now) {
  int64_t gap = 0;
  const auto arrival = meters_[stamp.flow].Note(stamp.sequence, gap);
  // Those of another process count from now on.
  const bool counts =
      (mode_ == Mode::kBoth ? stamp.counts : Counts(now)) && !over_;
  if (!counts) return;
  missing_ += gap;
  Tally& tally = mode_ == Mode::kBoth ? TallyOf(stamp.due) : tally_;
  if (arrival == SequenceMeter::Arrival::kDoubled) {
    ++tally.doubled;
    return;
  }
  if (arrival == SequenceMeter::Arrival::kLate) ++tally.late;
  ++came_back_;
  tally.Note(Outcome::kOk);
  tally.bytes_in += length;
  if (mode_ == Mode::kBoth) tally.latency.Record(now - stamp.due);
}

bool PacketLoad::Reflect(uint16_t interface, Packet* packet) {
  constexpr uint16_t kIpAt = ethernet::kHeaderLength;
  uint8_t* p = DataOf(packet);
  if (packet->data_len < kIpAt + ipv4::kHeaderLength + 4u || over_) {
    return false;
  }
  const uint8_t protocol = p[kIpAt + 9];
  const bool turns =
      LoadBe16(p + 12) == ethernet::kIpv4 && p[kIpAt] == 0x45 &&
      (protocol == ipv4::kUdp || protocol == ipv4::kTcp) &&
      MacAddress::Load(p) == pipeline_->interfaces()[interface].config.mac;
  if (!turns) return false;
  // Sums do not change with the order of what they add.
  Swap(p, p + 6, 6);
  Swap(p + kIpAt + 12, p + kIpAt + 16, 4);
  Swap(p + kIpAt + 20, p + kIpAt + 22, 2);
  packet->ol_flags = 0;
  packet->tx_offload = 0;
  const uint32_t length = packet->pkt_len;
  if (!pipeline_->tx(interface).Push(packet)) {
    pipeline_->core().pool.Free(packet);
    tally_.Note(Outcome::kNotSent);
    return true;
  }
  tally_.Note(Outcome::kOk);
  tally_.bytes_in += length;
  ++tally_.sent;
  tally_.bytes_out += length;
  return true;
}

void PacketLoad::End() {
  over_ = true;
  if (mode_ == Mode::kBoth && CountsLost(options_)) {
    Add(Outcome::kLost, static_cast<int64_t>(went_out_ - came_back_));
  }
  if (mode_ == Mode::kReceive) Add(Outcome::kLost, missing_);
  if (sends() && pace_ && !stopped() && pace_->next() < end()) {
    // Due, but the device did not take so many.
    Add(Outcome::kNotSent, static_cast<int64_t>(pace_->DueBefore(end())));
  }
}

}  // namespace corelane::dataplane
