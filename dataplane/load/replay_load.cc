#include "dataplane/load/replay_load.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/pipeline.h"
#include "proto/ethernet/header.h"

namespace corelane::dataplane {
namespace {

constexpr uint32_t kReplayPerTurn = 96;
// With so many that the device has not taken yet, it is the limit.
constexpr uint32_t kReplayWaiting = 128;
// When nothing has come in for so long after the last frame, nothing will.
constexpr Duration kReplayQuiet = 100ms;
// Times beyond are as good as never, and no sum of them overflows.
constexpr double kReplayFarNs = 1e18;
// Frames are long cold when their turn comes: memory may be asked early.
constexpr size_t kReplayAhead = 6;

Duration Scaled(Duration d, double by) {
  return Duration(static_cast<Duration::rep>(
      std::fmin(static_cast<double>(d.count()) * by, kReplayFarNs)));
}

}  // namespace

Duration ReplayLoad::PassLength(const FrameTape& tape, double speed) {
  if (tape.size() < 2) return 0ns;
  const double gaps = static_cast<double>(tape.size() - 1);
  return Scaled(tape.length(), (gaps + 1) / gaps / speed);
}

ReplayLoad::ReplayLoad(const ReplayLoadConfig& config)
    : Load(config.load),
      plan_(config),
      tape_(*config.tape),
      slowness_(1 / config.speed),
      pass_length_(PassLength(tape_, config.speed)) {}

void ReplayLoad::Attach(Pipeline* pipeline) {
  pipeline_ = pipeline;
  pipeline->SetFrameSink(this);
  if (plan_.target_mac.IsZero()) return;
  rewrites_ = true;
  plan_.target_mac.Store(macs_.data());
  pipeline->interfaces()[plan_.interface].config.mac.Store(macs_.data() + 6);
}

Duration ReplayLoad::Lasted(Time now) const {
  return Load::Lasted(std::min(now, done_));
}

uint32_t ReplayLoad::Waiting() const {
  return TxQueue::kCapacity - pipeline_->tx(plan_.interface).room();
}

bool ReplayLoad::DeviceMoves(Time now) {
  const uint64_t waiting = Waiting();
  const uint64_t taken = pushed_ - std::min(waiting, pushed_);
  if (waiting > 0 && taken <= taken_ && moved_ != kTimeNever) {
    return now - moved_ < config_.timeout;
  }
  taken_ = taken;
  moved_ = now;
  return true;
}

Time ReplayLoad::OnTurn(Time now) {
  if (Finished()) return kTimeNever;
  if (stopped()) {
    done_ = std::min(done_, now);
    state_ = State::kOver;
    return kTimeNever;
  }
  if (!DeviceMoves(now)) {
    GiveUp(now);
    return kTimeNever;
  }
  const Time next = Advance(now);
  turn_ = now;
  return next;
}

Time ReplayLoad::Advance(Time now) {
  const TxQueue& tx = pipeline_->tx(plan_.interface);
  switch (state_) {
    case State::kOpening:
      if (pushed_ == 0) Send(now, 1);
      if (pushed_ == 0 || Waiting() > 0) return now;
      Begin(turn_);  // in which the device took it
      if (pace_) pace_->Take();
      state_ = State::kSending;
      [[fallthrough]];
    case State::kSending:
      if (now < end()) {
        const uint32_t waiting = std::min(Waiting(), kReplayWaiting);
        Send(now, std::min(kReplayPerTurn, kReplayWaiting - waiting));
      } else {
        // What a late turn has left goes out as well, as far as there is room.
        Send(now, tx.room());
      }
      if (!AllPushed() && now < end()) {
        const Time due = plan_.pace == Pace::kFastest ? now + 1us : Due(now);
        return std::min(end(), due);
      }
      tally_.outcomes[static_cast<size_t>(Outcome::kNotSent)] += Owed(end());
      state_ = State::kDraining;
      [[fallthrough]];
    case State::kDraining:
      if (Waiting() > 0) return now;
      done_ = now;
      state_ = State::kSettling;
      [[fallthrough]];
    case State::kSettling: {
      const Time quiet = std::max(heard_, done_) + kReplayQuiet;
      const Time until = std::min(done_ + config_.timeout, quiet);
      if (now < until) return until;
      state_ = State::kOver;
      break;
    }
    case State::kOver:
      break;
  }
  return kTimeNever;
}

Time ReplayLoad::Due(Time now) const {
  if (state_ == State::kOpening) return now;
  switch (plan_.pace) {
    case Pace::kOwn:
      return CountFrom() + static_cast<int64_t>(pass_) * pass_length_ +
             Scaled(tape_[next_].at, slowness_);
    case Pace::kRate:
      return pace_->next();
    case Pace::kFastest:
      break;
  }
  return now;
}

void ReplayLoad::Send(Time now, uint32_t most) {
  Core& core = pipeline_->core();
  uint32_t n = 0;
  for (; n < most && !AllPushed(); ++n) {
    const Time due = Due(now);
    if (due > now || due >= end()) break;
    Packet* packet = core.pool.Alloc();
    if (packet == nullptr) break;
    Push(packet, due, now);
    if (pace_ && state_ != State::kOpening) pace_->Take();
  }
  core.NoteBound(n);
}

void ReplayLoad::Push(Packet* packet, Time due, Time now) {
  const FrameTape::Frame& frame = tape_[next_];
  if (next_ + kReplayAhead < tape_.size()) {
    __builtin_prefetch(tape_[next_ + kReplayAhead].data);
  }
  uint8_t* bytes = Append(packet, frame.length);
  std::memcpy(bytes, frame.data, frame.length);
  if (rewrites_) std::memcpy(bytes, macs_.data(), macs_.size());
  pipeline_->tx(plan_.interface).Push(packet);
  Core& core = pipeline_->core();
  ++core.counters.tx_packets;
  core.counters.tx_bytes += frame.length;
  ++tally_.sent;
  tally_.bytes_out += frame.length;
  tally_.Note(Outcome::kOk);
  if (plan_.pace != Pace::kFastest) tally_.latency.Record(now - due);
  ++pushed_;
  if (++next_ < tape_.size()) return;
  next_ = 0;
  ++pass_;
}

uint64_t ReplayLoad::Owed(Time at) const {
  if (!began() || at <= CountFrom()) return 0;
  const uint64_t all = plan_.passes * tape_.size();  // 0: no end
  uint64_t due = 0;
  if (plan_.pace == Pace::kRate && at > pace_->next()) {
    const auto more = static_cast<double>((at - pace_->next()).count());
    due = pushed_ + static_cast<uint64_t>(std::ceil(more * config_.rate / 1e9));
  }
  if (plan_.pace == Pace::kOwn && pass_length_ == 0ns) due = all;
  if (plan_.pace == Pace::kOwn && pass_length_ > 0ns) {
    const Duration elapsed = at - CountFrom();
    const auto whole = static_cast<uint64_t>(elapsed / pass_length_);
    due = whole * tape_.size() +
          tape_.CountBefore(Scaled(elapsed % pass_length_, plan_.speed));
  }
  if (all > 0) due = std::min(due, all);
  return due - std::min(due, pushed_);
}

void ReplayLoad::GiveUp(Time now) {
  gave_up_ = true;
  why_ =
      absl::StrCat("the device has taken nothing for ", config_.timeout / 1ms,
                   " ms; is anybody at its other end?");
  tally_.outcomes[static_cast<size_t>(Outcome::kNotSent)] +=
      Owed(std::min(now, end()));
  done_ = std::min(done_, moved_);
  state_ = State::kOver;
}

void ReplayLoad::TakeBackUnsent(Tally& tally) const {
  const auto frames = pipeline_->tx(plan_.interface).frames();
  const size_t n = std::min<uint64_t>(frames.size(), tally.sent);
  for (const Packet* packet : frames.last(n)) {
    tally.bytes_out -= packet->pkt_len;
  }
  tally.sent -= n;
  tally.outcomes[static_cast<size_t>(Outcome::kOk)] -= n;
  tally.outcomes[static_cast<size_t>(Outcome::kNotSent)] += n;
}

uint32_t ReplayLoad::OnFrames(uint16_t /*interface*/, std::span<Packet*> burst,
                              Time now) {
  uint32_t kept = 0;
  heard_ = now;
  for (Packet* packet : burst) {
    if (pushed_ > 0) {
      ++tally_.received;
      tally_.bytes_in += packet->pkt_len;
    }
    ethernet::Header header;
    const bool ours = ethernet::Parse(BytesOf(packet), header) ==
                          ethernet::ParseStatus::kOk &&
                      header.ether_type == ethernet::kArp;
    if (ours) {
      burst[kept++] = packet;
    } else {
      pipeline_->core().pool.Free(packet);
    }
  }
  return kept;
}

}  // namespace corelane::dataplane
