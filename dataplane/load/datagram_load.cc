#include "dataplane/load/datagram_load.h"

#include <algorithm>
#include <bit>

#include "dataplane/pipeline/udp_layer.h"

namespace corelane::dataplane {
namespace {

constexpr uint32_t kRequestsPerTurn = 128;
constexpr uint64_t kMaxQuestions = 1u << 22;

uint64_t QuestionsAtOnce(const LoadConfig& load, uint64_t most) {
  const double seconds = static_cast<double>(load.timeout.count()) / 1e9;
  const double wanted =
      load.rate > 0 ? 2 * load.rate * seconds : 2.0 * load.concurrency;
  const uint64_t n = std::bit_ceil(
      std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1024, kMaxQuestions));
  return std::min(n, std::bit_floor(most));
}

}  // namespace

DatagramLoad::DatagramLoad(const LoadConfig& config, uint32_t sockets,
                           uint64_t most, Outcome silence)
    : Load(config),
      sockets_(sockets),
      questions_(QuestionsAtOnce(config, most)),
      silence_(silence) {}

absl::Status DatagramLoad::Attach(UdpLayer* udp, uint16_t id) {
  for (UdpSocket& bound : sockets_) {
    auto socket = udp->BindFor(config_.target, id);
    if (!socket.ok()) return socket.status();
    bound = *socket;
  }
  return absl::OkStatus();
}

uint32_t DatagramLoad::NumberOf(const UdpSocket& socket) const {
  // They were bound one after the other.
  const uint32_t guess = socket.index() - sockets_[0].index();
  if (guess < sockets_.size() && sockets_[guess].index() == socket.index()) {
    return guess;
  }
  const auto it = std::find_if(
      sockets_.begin(), sockets_.end(),
      [&](const UdpSocket& s) { return s.index() == socket.index(); });
  return static_cast<uint32_t>(it - sockets_.begin());
}

Time DatagramLoad::OnTurn(Time now) {
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

void DatagramLoad::Ask(Time due, Time now) {
  Question& q = SlotOf(next_);
  if (q.open) Conclude(q, silence_);
  q = {next_, due, now + config_.timeout, true};
  ++busy_;
  const ByteView payload = Compose(next_);
  Ipv4Address from;
  if (!config_.sources.empty()) {
    from = config_.sources[next_ % config_.sources.size()];
  }
  UdpSocket& socket = sockets_[next_ % sockets_.size()];
  ++next_;
  if (!socket.SendTo(config_.target, payload, from).ok()) {
    Conclude(q, Outcome::kUnreachable);
    return;
  }
  if (Counts(due)) {
    Tally& tally = TallyOf(due);
    ++tally.sent;
    tally.bytes_out += payload.size();
  }
}

void DatagramLoad::Conclude(Question& q, Outcome outcome) {
  q.open = false;
  --busy_;
  if (Counts(q.due)) TallyOf(q.due).Note(outcome);
}

void DatagramLoad::OnDatagrams(std::span<Datagram> datagrams, Time now) {
  for (const Datagram& d : datagrams) {
    std::optional<uint64_t> serial;
    if (d.remote == config_.target) serial = SerialOf(d);
    if (!serial.has_value()) {
      tally_.Note(Outcome::kWrong);
      continue;
    }
    Question& q = SlotOf(*serial);
    // What comes too late or twice was counted before.
    if (!q.open || q.serial != *serial) continue;
    const bool right = IsRight(*serial, d);
    Conclude(q, right ? Outcome::kOk : Outcome::kWrong);
    if (!right || !Counts(q.due)) continue;
    TallyOf(q.due).bytes_in += d.payload.size();
    TallyOf(q.due).latency.Record(now - q.due);
  }
}

// Which datagram it was about is not said. In a closed loop nothing would be
// sent before the timeout, so the oldest is given up.
void DatagramLoad::OnDatagramError(const DatagramError& error) {
  constexpr uint8_t kUnreachableType = 3;
  constexpr uint8_t kPortUnreachable = 3;
  while (oldest_ < next_ && !SlotOf(oldest_).open) ++oldest_;
  if (oldest_ == next_) return;
  const bool refused = error.icmp_type == kUnreachableType &&
                       error.icmp_code == kPortUnreachable;
  Conclude(SlotOf(oldest_),
           refused ? Outcome::kRefused : Outcome::kUnreachable);
}

void DatagramLoad::GiveUpLate(Time now) {
  for (; oldest_ < next_; ++oldest_) {
    Question& q = SlotOf(oldest_);
    if (!q.open || q.serial != oldest_) continue;
    if (q.until > now) return;
    Conclude(q, silence_);
  }
}

}  // namespace corelane::dataplane
