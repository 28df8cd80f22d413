// Captured packets on their way from a core to another process: one ring in
// shared memory per core, written by the core and read by the client.
//
// The core believes nothing that it reads there: whatever the client writes,
// the worst is that packets are missed.
#ifndef CORELANE_DATAPLANE_RUNTIME_CAPTURE_RING_H_
#define CORELANE_DATAPLANE_RUNTIME_CAPTURE_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "proto/base/bytes.h"

namespace corelane::runtime {

struct CaptureRecord {
  uint64_t unix_ns = 0;
  uint32_t length = 0;    // of the frame
  uint32_t captured = 0;  // of its bytes that follow, padded to 8
  uint16_t port = 0;
  uint16_t sent = 0;  // 1: by us
  uint32_t reserved = 0;
};
static_assert(sizeof(CaptureRecord) == 24);

// What the ring begins with. `head` and `tail` count bytes and never wrap.
struct CaptureRingHeader {
  static constexpr uint64_t kMagic = 0x636f72656c616e31;

  uint64_t magic = kMagic;
  uint64_t capacity = 0;  // bytes behind this header, a power of two
  alignas(64) std::atomic<uint64_t> head{0};
  std::atomic<uint64_t> matched{0};
  std::atomic<uint64_t> missed{0};  // matched, but there was no room
  alignas(64) std::atomic<uint64_t> tail{0};
  std::atomic<uint64_t> pulse{0};  // goes on while the client lives
};
static_assert(sizeof(CaptureRingHeader) == 192);

// The core's end.
class CaptureWriter {
 public:
  // `memory` holds a header and `capacity` bytes, and outlives this.
  CaptureWriter(void* memory, uint64_t capacity);

  // Copies the record and record.captured bytes; false if there is no room.
  bool Write(const CaptureRecord& record, const uint8_t* bytes);
  uint64_t pulse() const {
    return header_->pulse.load(std::memory_order_relaxed);
  }

 private:
  void Copy(uint64_t at, const void* from, size_t n);

  CaptureRingHeader* header_;
  uint8_t* data_;
  uint64_t capacity_;
  uint64_t head_ = 0;
};

struct CapturedPacket {
  CaptureRecord record;
  std::vector<uint8_t> bytes;
};

// The client's end.
class CaptureReader {
 public:
  explicit CaptureReader(void* memory);
  // The next packet, if there is one.
  std::optional<CapturedPacket> Read();
  // To be called several times a second.
  void Beat() { header_->pulse.fetch_add(1, std::memory_order_relaxed); }
  uint64_t missed() const { return header_->missed.load(); }
  uint64_t matched() const { return header_->matched.load(); }

 private:
  void Copy(uint64_t at, void* to, size_t n) const;

  CaptureRingHeader* header_;
  const uint8_t* data_;
  uint64_t capacity_;
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_CAPTURE_RING_H_
