// One lazy timer per connection, in a hierarchical wheel.
//
// A connection's deadlines are plain stores in its control block. The wheel
// holds at most one entry for it, filed at some earlier deadline; when that
// slot comes round, whoever runs the wheel compares with the real deadline and
// files again. Only a deadline before the filed one moves the entry at once.
//
// Four levels of 256 slots, one tick (65.5 us) per slot of the first. A slot is
// a list of chunks of indices, a cache line each, and not a list through the
// control blocks: of a million connections each is a cache miss, and here the
// lines of all that a chunk names are asked for at once. Each control block
// says where its entry is. Property-tested against a sorted map in
// tests/dataplane/timer_wheel_test.cc.
#ifndef CORELANE_DATAPLANE_FLOW_TIMER_WHEEL_H_
#define CORELANE_DATAPLANE_FLOW_TIMER_WHEEL_H_

#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/flow/slab.h"
#include "proto/tcp/clock.h"
#include "proto/tcp/control_block.h"

namespace corelane::dataplane {

class TimerWheel {
 public:
  // `blocks` is the array of `capacity` that indices refer to; it outlives the
  // wheel.
  TimerWheel(tcp::ControlBlock* blocks, uint32_t capacity, tcp::Tick now);

  // Makes sure the connection comes up at or before `deadline`.
  void Schedule(uint32_t index, tcp::Tick deadline) {
    const tcp::ControlBlock& cb = blocks_[index];
    if (cb.timer_slot != 0 && !tcp::TickBefore(deadline, cb.timer_filed)) {
      return;
    }
    File(index, deadline);
  }

  // Takes the connection out, if it is in.
  void Cancel(uint32_t index);

  // Moves up to `now` and stores up to `room` due indices in `due`; returns how
  // many. Each is out of the wheel then. A full array means: call again.
  uint32_t Advance(tcp::Tick now, uint32_t* due, uint32_t room);

  // No entry comes up before this tick. Nothing if the wheel is empty.
  std::optional<tcp::Tick> NextDeadline() const;

 private:
  static constexpr uint32_t kLevels = 4;
  static constexpr uint32_t kSlots = 256;

  // Only the first chunk of a slot is not full.
  struct alignas(64) Chunk {
    static constexpr uint32_t kEntries = 14;
    std::array<uint32_t, kEntries> entries;
    uint32_t count;
    uint32_t next;
  };
  static_assert(sizeof(Chunk) == 64);
  // A control block's timer_place: a chunk and an entry in it.
  static constexpr uint32_t kEntryBits = 4;

  void File(uint32_t index, tcp::Tick deadline);
  void Link(uint32_t index, uint32_t slot);
  void Cascade(uint32_t level);
  uint32_t TakeDue(tcp::Tick now, uint32_t* due, uint32_t room);
  // Takes the last entry of a slot's first chunk.
  uint32_t TakeLast(uint32_t slot);
  void PrefetchTimers(const Chunk& chunk) const;
  uint32_t SlotFor(tcp::Tick deadline) const;
  bool Occupied(uint32_t slot) const {
    return (occupied_[slot / 64] >> (slot % 64) & 1) != 0;
  }
  // Slots from `from` (inclusive) to the level's end: the first occupied one.
  std::optional<uint32_t> FirstOccupied(uint32_t level, uint32_t from) const;

  tcp::ControlBlock* blocks_;
  tcp::Tick current_;  // everything filed before this tick has come up
  uint32_t count_ = 0;
  Slab<Chunk> chunks_;
  std::array<uint32_t, size_t{kLevels} * kSlots> heads_;
  std::array<uint64_t, size_t{kLevels} * kSlots / 64> occupied_{};
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_TIMER_WHEEL_H_
