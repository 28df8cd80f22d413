#include "dataplane/runtime/capture_ring.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace corelane::runtime {
namespace {

constexpr uint64_t Padded(uint64_t n) { return (n + 7) & ~uint64_t{7}; }

}  // namespace

CaptureWriter::CaptureWriter(void* memory, uint64_t capacity)
    : header_(new (memory) CaptureRingHeader),
      data_(static_cast<uint8_t*>(memory) + sizeof(CaptureRingHeader)),
      capacity_(capacity) {
  header_->capacity = capacity;
}

void CaptureWriter::Copy(uint64_t at, const void* from, size_t n) {
  const uint64_t place = at & (capacity_ - 1);
  const size_t first = std::min<size_t>(n, capacity_ - place);
  const auto* bytes = static_cast<const uint8_t*>(from);
  std::memcpy(data_ + place, bytes, first);
  std::memcpy(data_, bytes + first, n - first);
}

bool CaptureWriter::Write(const CaptureRecord& record, const uint8_t* bytes) {
  // Only this core writes these two.
  header_->matched.store(header_->matched.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
  const uint64_t size = sizeof(record) + Padded(record.captured);
  const uint64_t used = head_ - header_->tail.load(std::memory_order_acquire);
  // A tail that makes no sense looks like a full ring.
  if (used > capacity_ || size > capacity_ - used) {
    header_->missed.store(header_->missed.load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
    return false;
  }
  Copy(head_, &record, sizeof(record));
  Copy(head_ + sizeof(record), bytes, record.captured);
  head_ += size;
  header_->head.store(head_, std::memory_order_release);
  return true;
}

CaptureReader::CaptureReader(void* memory)
    : header_(static_cast<CaptureRingHeader*>(memory)),
      data_(static_cast<uint8_t*>(memory) + sizeof(CaptureRingHeader)),
      capacity_(header_->capacity) {}

void CaptureReader::Copy(uint64_t at, void* to, size_t n) const {
  if (n == 0) return;  // an empty vector's data() may be null
  const uint64_t place = at & (capacity_ - 1);
  const size_t first = std::min<size_t>(n, capacity_ - place);
  auto* bytes = static_cast<uint8_t*>(to);
  std::memcpy(bytes, data_ + place, first);
  std::memcpy(bytes + first, data_, n - first);
}

std::optional<CapturedPacket> CaptureReader::Read() {
  const uint64_t tail = header_->tail.load(std::memory_order_relaxed);
  if (tail == header_->head.load(std::memory_order_acquire)) {
    return std::nullopt;
  }
  CapturedPacket packet;
  Copy(tail, &packet.record, sizeof(packet.record));
  packet.bytes.resize(packet.record.captured);
  Copy(tail + sizeof(packet.record), packet.bytes.data(), packet.bytes.size());
  header_->tail.store(
      tail + sizeof(packet.record) + Padded(packet.record.captured),
      std::memory_order_release);
  return packet;
}

}  // namespace corelane::runtime
