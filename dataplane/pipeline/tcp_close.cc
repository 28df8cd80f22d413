// Timers, the end of connections, and what applications are told.
#include <algorithm>
#include <array>
#include <atomic>

#include "dataplane/pipeline/tcp_short.h"
#include "proto/tcp/close.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/timers.h"

namespace corelane::dataplane {
namespace {

constexpr Duration kRetryWithoutMemory = 1ms;

// Counts the views of static bytes; never reaches zero. Counted without
// atomics, hence one for each core; and as devices let go of packets after the
// stack is gone, they stay.
rte_mbuf_ext_shared_info& OwnerOfStaticBytes() {
  struct alignas(64) Owner {
    rte_mbuf_ext_shared_info info{[](void*, void*) {}, nullptr, 1};
  };
  static std::array<Owner, 256> owners;
  static std::atomic<uint32_t> next{0};
  return owners[next.fetch_add(1) % owners.size()].info;
}

}  // namespace

TcpLayer::TcpLayer(Core* core, Ipv4Layer* ip, const tcp::Config& config,
                   const TcpLimits& limits)
    : core_(*core),
      ip_(*ip),
      config_(config),
      profiles_(config),
      limits_(limits),
      blocks_(limits.max_connections),
      requests_(limits.max_requests),
      time_waits_(limits.max_time_wait),
      // As many as connections, so that accepted payload always finds a queue.
      buffers_(limits.max_connections),
      send_states_(limits.max_connections),
      bbr_states_(limits.max_connections),
      holes_(std::min<uint32_t>(limits.max_connections, 65536)),
      chunks_(limits.static_chunks),
      moves_(limits.max_connections),
      table_(
          limits.max_connections + limits.max_requests + limits.max_time_wait,
          core->secrets.flow_hash,
          {{{&blocks_[0], sizeof(tcp::ControlBlock)},
            {&requests_[0], sizeof(tcp::Request)},
            {&time_waits_[0], sizeof(tcp::TimeWait)},
            {&moves_.forwards[0], sizeof(Forward)}}}),
      wheel_(&blocks_[0], limits.max_connections, core->tcp_now.tick),
      static_owner_(OwnerOfStaticBytes()) {}

TcpLayer::~TcpLayer() {
  for (uint32_t i = 0; i < blocks_.high_water(); ++i) {
    if (Buffers* buffers = BuffersOf(i)) {
      buffers->send.Clear(core_.pool, chunks_);
      buffers->receive.Clear(core_.pool);
      buffers->reorder.Clear(core_.pool);
    }
  }
  for (uint32_t i = 0; i < arrived_count_; ++i) {
    core_.pool.Free(arrived_[i].packet);
  }
}

// In stages, as for received segments: a timer seldom finds its connection in
// the cache. The line with the timer itself is there.
void TcpLayer::PrefetchDue(std::span<const uint32_t> due) {
  for (const uint32_t index : due) {
    const auto* cb = reinterpret_cast<const char*>(&blocks_[index]);
    __builtin_prefetch(cb);
    __builtin_prefetch(cb + 64);
  }
  for (const uint32_t index : due) {
    if (const tcp::SendState* tx = SendStateOf(index)) __builtin_prefetch(tx);
  }
}

void TcpLayer::RunTimers() {
  constexpr uint32_t kBatch = 64;
  // Bounds the work per turn; what is left is due in the next.
  constexpr int kMaxBatches = 64;
  uint32_t due[kBatch];
  for (int batch = 0; batch < kMaxBatches; ++batch) {
    const uint32_t n = wheel_.Advance(core_.tcp_now.tick, due, kBatch);
    PrefetchDue({due, n});
    for (uint32_t i = 0; i < n; ++i) {
      const uint32_t index = due[i];
      tcp::ControlBlock& cb = blocks_[index];
      const uint8_t actions =
          tcp::OnTimers(cb, SendStateOf(index), MakeContext(index));
      if ((actions & tcp::kTimerApp) != 0) MarkReady(index, dataplane::kTimer);
      if ((actions & tcp::kTimerAbort) != 0) {
        Apply(index, tcp::kBroken);
      } else if ((actions & tcp::kTimerDone) != 0) {
        Apply(index, tcp::kFinished);
      } else if ((actions & tcp::kTimerEmit) != 0) {
        MarkDirty(index);
      } else {
        FileTimer(index);
      }
    }
    if (n < kBatch) break;
  }
  RetransmitSynAcks();
  ExpireTimeWaits();
  ReclaimSendStates();
  RenegeInTurn();
}

// While memory is short, quiet connections too let go of what waits behind a
// gap: it may be what makes memory short, and their peers may be silent on
// purpose.
void TcpLayer::RenegeInTurn() {
  constexpr uint32_t kAtOnce = 64;
  const uint32_t end = blocks_.high_water();
  for (uint32_t n = 0; core_.low_memory && n < std::min(kAtOnce, end); ++n) {
    if (renege_next_ >= end) renege_next_ = 0;
    const uint32_t index = renege_next_++;
    if (blocks_[index].Has(tcp::kDetached)) continue;
    Renege(index);
    DropBuffersIfEmpty(index);
  }
}

// Connections that have been quiet for a while give back what they need only to
// send; what congestion control has learnt is out of date by then.
void TcpLayer::ReclaimSendStates() {
  constexpr uint32_t kQuietMs = 10'000;
  // There are so many that memory is worth more: a state is 1.5 kB.
  constexpr uint32_t kMany = 1u << 18;
  constexpr uint32_t kQuietOfManyMs = 1'000;
  constexpr uint32_t kAtOnce = 4;
  const uint32_t end = send_states_.high_water();
  const uint32_t quiet_ms =
      send_states_.in_use() < kMany ? kQuietMs : kQuietOfManyMs;
  // Faster than others are taken, else millions of connections that speak in
  // turn would each have one in the end.
  const uint32_t visits = std::min(kAtOnce + 2 * send_states_taken_, end);
  send_states_taken_ = 0;
  for (uint32_t n = 0; n < visits; ++n) {
    if (reclaim_next_ >= end) reclaim_next_ = 0;
    const tcp::SendState& tx = send_states_[reclaim_next_++];
    if (tx.owner == kNoIndex || core_.tcp_now.ms - tx.active_ms < quiet_ms) {
      continue;
    }
    const tcp::ControlBlock& cb = blocks_[tx.owner];
    // What waits for its turn (pacing) has its timer here.
    if (cb.snd_una == cb.SendEnd() && !tx.Has(tcp::kCwrDue)) {
      FreeSendState(tx.owner);
    }
  }
}

void TcpLayer::FreeSendState(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.send_state == kNoIndex) return;
  tcp::SendState& tx = send_states_[cb.send_state];
  if (tx.bbr != nullptr) bbr_states_.Free(bbr_states_.IndexOf(*tx.bbr));
  tx.owner = kNoIndex;
  tx.bbr = nullptr;
  send_states_.Free(cb.send_state);
  cb.send_state = kNoIndex;
}

tcp::SendState* TcpLayer::NeedSendState(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.send_state != kNoIndex) return &send_states_[cb.send_state];
  cb.send_state = send_states_.Allocate();
  ++send_states_taken_;
  if (cb.send_state == kNoIndex) return nullptr;
  tcp::SendState& tx = send_states_[cb.send_state];
  tcp::InitSendState(cb, tx);
  tx.owner = index;
  tx.active_ms = core_.tcp_now.ms;
  FitSendState(index);
  return &tx;
}

// Gives the connection what its congestion control needs, or takes it back.
void TcpLayer::FitSendState(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  tcp::SendState* tx = SendStateOf(index);
  if (tx == nullptr) return;
  const bool wanted = options(index).congestion == tcp::CongestionControl::kBbr;
  if (wanted == (tx->bbr != nullptr)) return;
  if (!wanted) {
    bbr_states_.Free(bbr_states_.IndexOf(*tx->bbr));
    tcp::StopBbr(cb, *tx);
    return;
  }
  const uint32_t state = bbr_states_.Allocate();
  // There are as many as send states.
  if (state == kNoIndex) return;
  tcp::StartBbr(cb, *tx, bbr_states_[state], MakeContext(index));
}

Time TcpLayer::NextDeadline() const {
  if (!dirty_.empty() || !ready_.empty()) {
    // Work that waits for packets or chunks is tried again in a while: at once,
    // a loop that sleeps when it can would spin until somebody gives some back.
    const bool short_of = core_.low_memory || chunks_.exhausted();
    return short_of ? core_.now + kRetryWithoutMemory : core_.now;
  }
  if (moves_.Due()) return core_.now + kRetryWithoutMemory;
  std::optional<tcp::Tick> next = wheel_.NextDeadline();
  auto consider = [&](tcp::Tick tick) {
    if (!next || tcp::TickBefore(tick, *next)) next = tick;
  };
  for (const auto& list : request_lists_) {
    if (!list.empty()) consider(requests_[list.front()].deadline);
  }
  if (!time_wait_list_.empty()) {
    consider(time_waits_[time_wait_list_.front()].expires);
  }
  if (!next) return kTimeNever;
  const auto ahead = static_cast<int32_t>(*next - core_.tcp_now.tick);
  if (ahead <= 0) return core_.now;
  // The start of that tick.
  const int64_t now_tick =
      core_.now.time_since_epoch().count() >> tcp::kTickShift;
  return Time(Duration((now_tick + ahead) << tcp::kTickShift));
}

// ---------------------------------------------------------------- the ends

// Out of the socket table: the address pair is free for others.
void TcpLayer::Detach(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.Has(tcp::kDetached)) return;
  EraseEntry(cb.key, HashOf(cb.key), Entry(EntryKind::kConnection, index));
  cb.Set(tcp::kDetached);
  cb.Clear(tcp::kRetransmitTimer | tcp::kPersist | tcp::kTailTimer |
           tcp::kReorderTimer | tcp::kAckTimer | tcp::kIdleTimer);
  FreeSendState(index);
  cb.state = tcp::State::kClosed;
  cb.predicted = 0;
  if (Buffers* buffers = BuffersOf(index)) {
    buffers->send.Clear(core_.pool, chunks_);
    buffers->reorder.Clear(core_.pool);
    if (buffers->holes != kNoIndex) {
      holes_.Free(buffers->holes);
      buffers->holes = kNoIndex;
    }
    DropBuffersIfEmpty(index);
  }
}

// The last step: nobody knows the connection any more.
void TcpLayer::FreeBlock(uint32_t index) {
  Detach(index);
  if (Buffers* buffers = BuffersOf(index)) {
    buffers->receive.Clear(core_.pool);
    DropBuffersIfEmpty(index);
  }
  wheel_.Cancel(index);
  SetProfile(index, Profiles::kDefault);
  blocks_[index].flags = tcp::kDetached;
  blocks_[index].generation = 0;
  blocks_.Free(index);
}

// A record takes over the address pair; the control block stays only while the
// application has data to read.
void TcpLayer::MoveToTimeWait(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (time_waits_.in_use() == time_waits_.capacity()) {
    const uint32_t oldest = time_wait_list_.front();
    const tcp::FlowKey key = time_waits_[oldest].key;
    EraseEntry(key, HashOf(key), Entry(EntryKind::kTimeWait, oldest));
    RetireTimeWait(oldest);
  }
  const uint32_t record = time_waits_.Allocate();
  tcp::TimeWait& tw = time_waits_[record];
  tcp::EnterTimeWait(tw, cb, MakeContext(index));
  time_wait_list_.PushBack(time_waits_, record);
  if (cb.Has(tcp::kAckNow) || cb.acks_owed > 0) {
    SendBare(cb.key, tcp::TimeWaitAck(tw, core_.tcp_now));
  }
  const uint64_t hash = HashOf(cb.key);
  const bool orphan = cb.Has(tcp::kOrphan);
  Detach(index);
  table_.Insert(hash, Entry(EntryKind::kTimeWait, record));
  if (orphan) FreeBlock(index);
}

void TcpLayer::RetireTimeWait(uint32_t index) {
  time_wait_list_.Remove(time_waits_, index);
  time_waits_[index].key = tcp::FlowKey();
  time_waits_.Free(index);
}

void TcpLayer::ExpireTimeWaits() {
  while (!time_wait_list_.empty()) {
    const uint32_t index = time_wait_list_.front();
    const tcp::TimeWait& record = time_waits_[index];
    if (tcp::TickBefore(core_.tcp_now.tick, record.expires)) return;
    EraseEntry(record.key, HashOf(record.key),
               Entry(EntryKind::kTimeWait, index));
    RetireTimeWait(index);
  }
}

void TcpLayer::CloseAll() {
  closing_ = true;  // also for what is on its way here
  for (uint32_t i = 0; i < listeners_.all().size(); ++i) {
    if (listeners_[i].in_use) CloseListener(i);
  }
  for (uint32_t i = 0; i < blocks_.high_water(); ++i) {
    const tcp::ControlBlock& cb = blocks_[i];
    if (cb.state == tcp::State::kClosed || cb.Has(tcp::kOrphan)) continue;
    Close(i);
  }
}

// --------------------------------------------------------- the application

void TcpLayer::Notify(std::span<Application* const> applications) {
  constexpr size_t kBatch = 64;
  if (ready_.empty()) return;
  ready_now_.swap(ready_);
  std::array<ReadyConnection, kBatch> batch;
  std::array<uint32_t, kBatch> generations;
  size_t i = 0;
  while (i < ready_now_.size()) {
    size_t n = 0;
    uint16_t application = 0;
    for (; i < ready_now_.size() && n < kBatch; ++i) {
      tcp::ControlBlock& cb = blocks_[ready_now_[i]];
      if (!cb.Has(tcp::kReady)) continue;  // freed since
      if (n == 0) application = cb.application;
      if (cb.application != application) break;
      generations[n] = cb.generation;
      batch[n++] = {Connection(this, ready_now_[i]),
                    static_cast<uint8_t>(cb.flags >> 24)};
      cb.flags &= 0x00ffffffu & ~static_cast<uint32_t>(tcp::kReady);
    }
    if (n == 0) break;
    applications[application]->OnConnections({batch.data(), n}, core_.now);
    for (size_t k = 0; k < n; ++k) {
      const uint32_t index = batch[k].connection.index();
      if ((batch[k].events & kGone) != 0 &&
          blocks_[index].generation == generations[k]) {
        FreeBlock(index);
      }
    }
  }
  ready_now_.clear();
}

}  // namespace corelane::dataplane
