#include "dataplane/flow/timer_wheel.h"

#include <bit>

namespace corelane::dataplane {

using tcp::kNoIndex;
using tcp::Tick;

TimerWheel::TimerWheel(tcp::ControlBlock* blocks, uint32_t capacity, Tick now)
    : blocks_(blocks),
      current_(now),
      // Each slot may have a chunk that is not full.
      chunks_(capacity / Chunk::kEntries + 1 + kLevels * kSlots) {
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
  uint32_t head = heads_[slot];
  if (head == kNoIndex || chunks_[head].count == Chunk::kEntries) {
    const uint32_t fresh = chunks_.Allocate();  // there are enough
    chunks_[fresh].next = head;
    heads_[slot] = head = fresh;
    occupied_[slot / 64] |= uint64_t{1} << (slot % 64);
  }
  Chunk& chunk = chunks_[head];
  tcp::ControlBlock& cb = blocks_[index];
  cb.timer_place = head << kEntryBits | chunk.count;
  cb.timer_slot = static_cast<uint16_t>(slot + 1);
  chunk.entries[chunk.count++] = index;
  ++count_;
}

uint32_t TimerWheel::TakeLast(uint32_t slot) {
  const uint32_t head = heads_[slot];
  Chunk& chunk = chunks_[head];
  const uint32_t index = chunk.entries[--chunk.count];
  --count_;
  if (chunk.count > 0) return index;
  heads_[slot] = chunk.next;
  chunks_.Free(head);
  if (heads_[slot] == kNoIndex) {
    occupied_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  } else {
    PrefetchTimers(chunks_[heads_[slot]]);
  }
  return index;
}

// The lines of control blocks that have to do with the wheel.
void TimerWheel::PrefetchTimers(const Chunk& chunk) const {
  if (chunk.next != kNoIndex) __builtin_prefetch(&chunks_[chunk.next]);
  for (uint32_t i = 0; i < chunk.count; ++i) {
    __builtin_prefetch(&blocks_[chunk.entries[i]].timer_place);
  }
}

void TimerWheel::File(uint32_t index, Tick deadline) {
  Cancel(index);
  if (tcp::TickBefore(deadline, current_)) deadline = current_;
  blocks_[index].timer_filed = deadline;
  Link(index, SlotFor(deadline));
}

// The last entry takes its place.
void TimerWheel::Cancel(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.timer_slot == 0) return;
  const uint32_t place = cb.timer_place;
  const uint32_t last = TakeLast(cb.timer_slot - 1u);
  cb.timer_slot = 0;
  if (last == index) return;
  constexpr uint32_t kEntryMask = (1u << kEntryBits) - 1;
  chunks_[place >> kEntryBits].entries[place & kEntryMask] = last;
  blocks_[last].timer_place = place;
}

// Moves the entries of the slot that `current_` has just entered to the level
// below.
void TimerWheel::Cascade(uint32_t level) {
  const uint32_t slot = level * kSlots + (current_ >> (8 * level) & 0xff);
  uint32_t at = heads_[slot];
  heads_[slot] = kNoIndex;
  occupied_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  if (at != kNoIndex) PrefetchTimers(chunks_[at]);
  while (at != kNoIndex) {
    const Chunk chunk = chunks_[at];
    chunks_.Free(at);
    at = chunk.next;
    if (at != kNoIndex) PrefetchTimers(chunks_[at]);
    count_ -= chunk.count;
    for (uint32_t i = 0; i < chunk.count; ++i) {
      const uint32_t index = chunk.entries[i];
      // An entry of the last level may still be a whole round away.
      Link(index, SlotFor(blocks_[index].timer_filed));
    }
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
  const uint32_t found = TakeDue(now, due, room);
  for (uint32_t i = 0; i < found; ++i) blocks_[due[i]].timer_slot = 0;
  return found;
}

// As Advance, but those taken do not know it yet: their lines are on the way.
uint32_t TimerWheel::TakeDue(Tick now, uint32_t* due, uint32_t room) {
  uint32_t found = 0;
  for (;;) {
    const uint32_t slot = current_ & 0xff;
    if (heads_[slot] != kNoIndex) PrefetchTimers(chunks_[heads_[slot]]);
    while (heads_[slot] != kNoIndex) {
      if (found == room) return found;
      due[found++] = TakeLast(slot);
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
