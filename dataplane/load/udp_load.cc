#include "dataplane/load/udp_load.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "dataplane/pipeline/udp_layer.h"

namespace corelane::dataplane {
namespace {

constexpr uint32_t kRequestsPerTurn = 128;
constexpr uint64_t kMaxQuestions = 1u << 22;

uint64_t QuestionsAtOnce(const LoadConfig& load) {
  const double seconds = static_cast<double>(load.timeout.count()) / 1e9;
  const double most =
      load.rate > 0 ? 2 * load.rate * seconds : 2.0 * load.concurrency;
  return std::bit_ceil(
      std::clamp<uint64_t>(static_cast<uint64_t>(most), 1024, kMaxQuestions));
}

}  // namespace

UdpLoad::UdpLoad(const UdpLoadConfig& config)
    : Load(config.load),
      options_(config),
      payload_(std::max(config.size, kMinSize)),
      questions_(QuestionsAtOnce(config.load)) {
  for (size_t i = 0; i < payload_.size(); ++i) {
    payload_[i] = static_cast<uint8_t>(' ' + 1 + i % 94);
  }
}

absl::Status UdpLoad::Attach(UdpLayer* udp, uint16_t id) {
  for (uint32_t i = 0; i < options_.sockets; ++i) {
    auto socket = udp->Bind(Ipv4Address(), 0, id);
    if (!socket.ok()) return socket.status();
    sockets_.push_back(*socket);
  }
  return absl::OkStatus();
}

bool UdpLoad::Finished() const { return over_ && busy_ == 0; }

Time UdpLoad::OnTurn(Time now) {
  GiveUpLate(now);
  if (!Over(now) && !began()) {
    if (next_ == 0) Ask(now, now);  // the greeting
    if (busy_ > 0) return SlotOf(0).until;
    Begin(now);
  }
  // What a late turn has left goes out as well.
  const uint32_t most = Over(now) ? ~0u : kRequestsPerTurn;
  for (uint32_t n = 0; pace_ && !stopped() && !over_ && n < most &&
                       pace_->next() <= now && pace_->next() < end();
       ++n) {
    Ask(pace_->Take(), now);
  }
  over_ = Over(now);
  while (!over_ && !pace_ && busy_ < config_.concurrency) Ask(now, now);
  Time next = over_ ? kTimeNever : end();
  if (!over_ && pace_) next = std::min(next, pace_->next());
  if (busy_ > 0) next = std::min(next, SlotOf(oldest_).until);
  return next;
}

void UdpLoad::Ask(Time due, Time now) {
  Question& q = SlotOf(next_);
  if (q.open) Conclude(q, Outcome::kLost);
  q = {next_, due, now + config_.timeout, true};
  ++busy_;
  std::memcpy(payload_.data(), &next_, sizeof(next_));
  Ipv4Address from;
  if (!config_.sources.empty()) {
    from = config_.sources[next_ % config_.sources.size()];
  }
  UdpSocket& socket = sockets_[next_ % sockets_.size()];
  ++next_;
  if (!socket.SendTo(config_.target, payload_, from).ok()) {
    Conclude(q, Outcome::kUnreachable);
    return;
  }
  if (Counts(due)) {
    ++tally_.sent;
    tally_.bytes_out += payload_.size();
  }
}

void UdpLoad::Conclude(Question& q, Outcome outcome) {
  q.open = false;
  --busy_;
  if (Counts(q.due)) tally_.Note(outcome);
}

void UdpLoad::OnDatagrams(std::span<Datagram> datagrams, Time now) {
  for (const Datagram& d : datagrams) {
    uint64_t serial = 0;
    if (d.payload.size() < kMinSize || !(d.remote == config_.target)) {
      tally_.Note(Outcome::kWrong);
      continue;
    }
    std::memcpy(&serial, d.payload.data(), sizeof(serial));
    Question& q = SlotOf(serial);
    // What comes too late or twice was counted before.
    if (!q.open || q.serial != serial) continue;
    const bool right =
        d.payload.size() == payload_.size() &&
        std::memcmp(d.payload.data() + kMinSize, payload_.data() + kMinSize,
                    payload_.size() - kMinSize) == 0;
    Conclude(q, right ? Outcome::kOk : Outcome::kWrong);
    if (!right || !Counts(q.due)) continue;
    tally_.bytes_in += d.payload.size();
    tally_.latency.Record(now - q.due);
  }
}

// Which datagram it was about is not said. In a closed loop nothing would be
// sent before the timeout, so the oldest is given up.
void UdpLoad::OnDatagramError(const DatagramError& error) {
  constexpr uint8_t kUnreachableType = 3;
  constexpr uint8_t kPortUnreachable = 3;
  while (oldest_ < next_ && !SlotOf(oldest_).open) ++oldest_;
  if (oldest_ == next_) return;
  const bool refused = error.icmp_type == kUnreachableType &&
                       error.icmp_code == kPortUnreachable;
  Conclude(SlotOf(oldest_),
           refused ? Outcome::kRefused : Outcome::kUnreachable);
}

void UdpLoad::GiveUpLate(Time now) {
  for (; oldest_ < next_; ++oldest_) {
    Question& q = SlotOf(oldest_);
    if (!q.open || q.serial != oldest_) continue;
    if (q.until > now) return;
    Conclude(q, Outcome::kLost);
  }
}

}  // namespace corelane::dataplane
