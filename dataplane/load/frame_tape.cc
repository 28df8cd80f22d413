#include "dataplane/load/frame_tape.h"

#include <algorithm>
#include <cstring>

#include "proto/ethernet/header.h"

namespace corelane::dataplane {
namespace {

// Many frames to each, and nothing to copy when more come.
constexpr size_t kChunk = size_t{1} << 20;

}  // namespace

uint8_t* FrameTape::Room(size_t n) {
  if (n > left_) {
    chunks_.push_back(std::make_unique<uint8_t[]>(kChunk));
    left_ = kChunk;
  }
  uint8_t* room = chunks_.back().get() + (kChunk - left_);
  left_ -= n;
  return room;
}

void FrameTape::Append(Duration at, ByteView bytes) {
  if (frames_.empty()) first_ = at;
  at -= first_;
  if (at < length()) {
    at = length();
    ++backwards_;
  }
  const size_t size = std::max<size_t>(bytes.size(), ethernet::kMinFrameLength);
  uint8_t* data = Room(size);  // zeros
  std::memcpy(data, bytes.data(), bytes.size());
  if (size > bytes.size()) ++padded_;
  bytes_ += size;
  frames_.push_back({at, data, static_cast<uint16_t>(size)});
}

size_t FrameTape::CountBefore(Duration at) const {
  const auto after = std::lower_bound(
      frames_.begin(), frames_.end(), at,
      [](const Frame& frame, Duration limit) { return frame.at < limit; });
  return static_cast<size_t>(after - frames_.begin());
}

uint64_t FrameTape::memory() const {
  return chunks_.size() * kChunk + frames_.size() * sizeof(Frame);
}

}  // namespace corelane::dataplane
