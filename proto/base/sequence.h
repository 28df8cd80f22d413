// TCP sequence numbers: modulo 2^32, compared by signed distance (RFC 9293
// section 3.4).
#ifndef CORELANE_PROTO_BASE_SEQUENCE_H_
#define CORELANE_PROTO_BASE_SEQUENCE_H_

#include <cstdint>

namespace corelane {

// A point in sequence space. The order is meaningful only between points less
// than 2^31 apart; it is not transitive beyond that, so never a map's key.
class SeqNum {
 public:
  constexpr SeqNum() = default;
  constexpr explicit SeqNum(uint32_t value) : value_(value) {}

  constexpr uint32_t value() const { return value_; }

  constexpr SeqNum& operator+=(uint32_t n) {
    value_ += n;
    return *this;
  }
  friend constexpr SeqNum operator+(SeqNum a, uint32_t n) {
    return SeqNum(a.value_ + n);
  }
  friend constexpr SeqNum operator-(SeqNum a, uint32_t n) {
    return SeqNum(a.value_ - n);
  }
  // The distance from b up to a; meaningful when a is not before b.
  friend constexpr uint32_t operator-(SeqNum a, SeqNum b) {
    return a.value_ - b.value_;
  }
  friend constexpr bool operator==(SeqNum a, SeqNum b) {
    return a.value_ == b.value_;
  }
  friend constexpr bool operator!=(SeqNum a, SeqNum b) {
    return a.value_ != b.value_;
  }
  friend constexpr bool operator<(SeqNum a, SeqNum b) {
    return static_cast<int32_t>(a.value_ - b.value_) < 0;
  }
  friend constexpr bool operator>(SeqNum a, SeqNum b) { return b < a; }
  friend constexpr bool operator<=(SeqNum a, SeqNum b) { return !(b < a); }
  friend constexpr bool operator>=(SeqNum a, SeqNum b) { return !(a < b); }

 private:
  uint32_t value_ = 0;
};

// Whether start <= x < start + length, in one comparison.
constexpr bool InWindow(SeqNum x, SeqNum start, uint32_t length) {
  return x - start < length;
}

constexpr SeqNum SeqMax(SeqNum a, SeqNum b) { return a < b ? b : a; }
constexpr SeqNum SeqMin(SeqNum a, SeqNum b) { return a < b ? a : b; }

}  // namespace corelane

#endif  // CORELANE_PROTO_BASE_SEQUENCE_H_
