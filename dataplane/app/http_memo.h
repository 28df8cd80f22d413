// Requests that came lately, and what they are answered with. Clients say the
// same again and again: a head that is byte for byte one that was parsed before
// means the same, and need not be parsed.
//
// Only whole heads without a body are kept, so that what follows one is the
// next request. What depends on the connection (how many requests it has made)
// or on time (the Date field) is no part of the reply.
#ifndef CORELANE_DATAPLANE_APP_HTTP_MEMO_H_
#define CORELANE_DATAPLANE_APP_HTTP_MEMO_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/app/http_session.h"
#include "proto/base/bytes.h"

namespace corelane::dataplane {

class HttpMemo {
 public:
  struct Entry {
    uint32_t size = 0;  // of the head, its empty line included; 0: none
    HttpReply reply;
    std::array<uint8_t, 512> head;
  };

  // The request that `bytes` begin with; nullptr if it is not known.
  const Entry* Find(ByteView bytes) const {
    const Entry& entry = entries_[SlotFor(bytes)];
    const bool known =
        entry.size != 0 && entry.size <= bytes.size() &&
        std::memcmp(entry.head.data(), bytes.data(), entry.size) == 0;
    return known ? &entry : nullptr;
  }

  // `bytes` began with a head of `size` bytes, which has no body.
  void Note(ByteView bytes, uint32_t size, const HttpReply& reply) {
    Entry& entry = entries_[SlotFor(bytes)];
    if (size > entry.head.size()) return;
    entry.size = size;
    entry.reply = reply;
    std::memcpy(entry.head.data(), bytes.data(), size);
  }

 private:
  // Clients differ in the length of what they say.
  static constexpr size_t kEntries = 16;
  static size_t SlotFor(ByteView bytes) { return bytes.size() % kEntries; }

  std::array<Entry, kEntries> entries_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_APP_HTTP_MEMO_H_
