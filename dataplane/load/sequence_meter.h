// What became of numbered packets: lost, overtaken, doubled.
#ifndef CORELANE_DATAPLANE_LOAD_SEQUENCE_METER_H_
#define CORELANE_DATAPLANE_LOAD_SEQUENCE_METER_H_

#include <cstdint>

namespace corelane::dataplane {

// One flow's. Numbers count up from wherever the first one stands, and wrap.
class SequenceMeter {
 public:
  enum class Arrival : uint8_t {
    kNext,     // in order, perhaps after a gap
    kLate,     // fills a gap
    kDoubled,  // was here before
  };

  // `gap`: how many are missing now that were not before; -1 when one that was
  // is there after all.
  Arrival Note(uint32_t sequence, int64_t& gap) {
    gap = 0;
    if (seen_ == 0) next_ = sequence;
    const auto ahead = static_cast<int32_t>(sequence - next_);
    if (ahead >= 0) [[likely]] {
      gap = ahead;
      seen_ = ahead >= 63 ? 1 : seen_ << (ahead + 1) | 1;
      next_ = sequence + 1;
      return Arrival::kNext;
    }
    const uint32_t back = next_ - 1 - sequence;
    if (back < 64) {
      const uint64_t bit = uint64_t{1} << back;
      if ((seen_ & bit) != 0) return Arrival::kDoubled;
      seen_ |= bit;
    }
    // Older than that, one that comes twice is taken for one that was missing.
    gap = -1;
    return Arrival::kLate;
  }

 private:
  uint32_t next_ = 0;
  uint64_t seen_ = 0;  // bit i: next_ - 1 - i was here; 0: nothing yet
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_SEQUENCE_METER_H_
