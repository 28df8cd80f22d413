#include "dataplane/flow/timer_wheel.h"

#include <bit>

namespace corelane::dataplane {

using tcp::kNoIndex;
using tcp::Tick;

TimerWheel::TimerWheel(tcp::ControlBlock* blocks, Tick now)
    : blocks_(blocks), current_(now) {
  heads_.fill(kNoIndex);
}

uint32_t TimerWheel::SlotFor(Tick deadline) const {
  const Tick ahead = deadline - current_;
  for (uint32_t level = 0; level < kLevels - 1; ++level) {
    if (ahead < 1u << (8 * (level + 1))) {
      return level * kSlots + (deadline >> (8 * level) & 0xff);
    }
  }
  return (kLevels - 1) * kSlots + (deadline >> 24);
}

void TimerWheel::Link(uint32_t index, uint32_t slot) {
  tcp::ControlBlock& cb = blocks_[index];
  cb.timer_prev = kNoIndex;
  cb.timer_next = heads_[slot];
  cb.timer_slot = static_cast<uint16_t>(slot + 1);
  if (heads_[slot] != kNoIndex) blocks_[heads_[slot]].timer_prev = index;
  heads_[slot] = index;
  occupied_[slot / 64] |= uint64_t{1} << (slot % 64);
  ++count_;
}

void TimerWheel::File(uint32_t index, Tick deadline) {
  Cancel(index);
  if (tcp::TickBefore(deadline, current_)) deadline = current_;
  blocks_[index].timer_filed = deadline;
  Link(index, SlotFor(deadline));
}

void TimerWheel::Cancel(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.timer_slot == 0) return;
  const uint32_t slot = cb.timer_slot - 1u;
  if (cb.timer_prev == kNoIndex) {
    heads_[slot] = cb.timer_next;
    if (cb.timer_next == kNoIndex) {
      occupied_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
    }
  } else {
    blocks_[cb.timer_prev].timer_next = cb.timer_next;
  }
  if (cb.timer_next != kNoIndex) {
    blocks_[cb.timer_next].timer_prev = cb.timer_prev;
  }
  cb.timer_slot = 0;
  --count_;
}

// Moves the entries of the slot that `current_` has just entered to the level
// below.
void TimerWheel::Cascade(uint32_t level) {
  const uint32_t slot = level * kSlots + (current_ >> (8 * level) & 0xff);
  uint32_t index = heads_[slot];
  heads_[slot] = kNoIndex;
  occupied_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  while (index != kNoIndex) {
    const uint32_t next = blocks_[index].timer_next;
    blocks_[index].timer_slot = 0;
    --count_;
    // An entry of the last level may still be a whole round away.
    Link(index, SlotFor(blocks_[index].timer_filed));
    index = next;
  }
}

std::optional<uint32_t> TimerWheel::FirstOccupied(uint32_t level,
                                                  uint32_t from) const {
  for (uint32_t slot = from; slot < kSlots; slot = (slot / 64 + 1) * 64) {
    const uint32_t at = level * kSlots + slot;
    const uint64_t bits = occupied_[at / 64] >> (at % 64);
    if (bits != 0) return slot + static_cast<uint32_t>(std::countr_zero(bits));
  }
  return std::nullopt;
}

uint32_t TimerWheel::Advance(Tick now, uint32_t* due, uint32_t room) {
  uint32_t found = 0;
  for (;;) {
    const uint32_t slot = current_ & 0xff;
    while (heads_[slot] != kNoIndex) {
      if (found == room) return found;
      const uint32_t index = heads_[slot];
      Cancel(index);
      due[found++] = index;
    }
    if (!tcp::TickBefore(current_, now)) return found;
    if (count_ == 0) {
      current_ = now;
      return found;
    }
    // Skip empty slots, but stop at the end of the round to cascade.
    const auto next = FirstOccupied(0, slot);
    const Tick round_end = (current_ | 0xff) + 1;
    Tick target = next ? current_ - slot + *next : round_end;
    if (tcp::TickBefore(now, target)) target = now;
    current_ = target;
    if ((current_ & 0xff) != 0 || current_ != round_end) continue;
    for (uint32_t level = 1; level < kLevels; ++level) {
      Cascade(level);
      if ((current_ >> (8 * level) & 0xff) != 0) break;
    }
  }
}

std::optional<Tick> TimerWheel::NextDeadline() const {
  if (count_ == 0) return std::nullopt;
  if (const auto slot = FirstOccupied(0, current_ & 0xff)) {
    return (current_ & ~Tick{0xff}) + *slot;
  }
  // Later levels need the cascade first, which happens at the round's end.
  return (current_ | 0xff) + 1;
}

}  // namespace corelane::dataplane
