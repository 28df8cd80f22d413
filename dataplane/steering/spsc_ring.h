// A queue from one thread to one other.
#ifndef CORELANE_DATAPLANE_STEERING_SPSC_RING_H_
#define CORELANE_DATAPLANE_STEERING_SPSC_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace corelane::dataplane {

// What was pushed becomes visible with Publish, so that a batch costs the other
// side one cache miss. Loads and stores only, no read-modify-write.
template <typename T>
class SpscRing {
 public:
  // `capacity` is a power of two.
  explicit SpscRing(uint32_t capacity)
      : slots_(capacity), mask_(capacity - 1) {}
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  // ---- The producer
  bool Push(const T& item) {
    if (head_ - known_tail_ > mask_) {
      known_tail_ = tail_.load(std::memory_order_acquire);
      if (head_ - known_tail_ > mask_) return false;
    }
    slots_[head_++ & mask_] = item;
    return true;
  }
  uint32_t Room() {
    if (head_ - known_tail_ > mask_) {
      known_tail_ = tail_.load(std::memory_order_acquire);
    }
    return mask_ + 1 - (head_ - known_tail_);
  }
  // True if there was something new.
  bool Publish() {
    if (head_ == published_head_) return false;
    published_head_ = head_;
    published_.store(head_, std::memory_order_release);
    return true;
  }

  // ---- The consumer
  // How many may be read; At(0) is the oldest.
  uint32_t Available() {
    if (known_head_ == next_) {
      known_head_ = published_.load(std::memory_order_acquire);
    }
    return known_head_ - next_;
  }
  const T& At(uint32_t i) const { return slots_[(next_ + i) & mask_]; }
  void Pop(uint32_t n) {
    next_ += n;
    tail_.store(next_, std::memory_order_release);
  }

 private:
  std::vector<T> slots_;
  uint32_t mask_;
  // The producer's line, the consumer's, and what each writes for the other.
  alignas(64) uint32_t head_ = 0;
  uint32_t known_tail_ = 0;
  uint32_t published_head_ = 0;
  alignas(64) uint32_t next_ = 0;
  uint32_t known_head_ = 0;
  alignas(64) std::atomic<uint32_t> published_{0};
  alignas(64) std::atomic<uint32_t> tail_{0};
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_STEERING_SPSC_RING_H_
