// What a connection needs while a request or its answer is in pieces. Between
// requests, and for requests that come and are answered in one go, there is
// none.
#ifndef CORELANE_DATAPLANE_APP_HTTP_SESSION_H_
#define CORELANE_DATAPLANE_APP_HTTP_SESSION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/flow/slab.h"
#include "proto/base/bytes.h"
#include "proto/base/sequence.h"
#include "proto/http/body.h"
#include "proto/http/head_progress.h"

namespace corelane::dataplane {

struct Resource;

// What is to be answered: all that is left of a request once its head was read.
struct HttpReply {
  const Resource* resource = nullptr;  // nullptr: an error's own text
  uint16_t status = 200;
  bool head_only = false;
  bool keep_alive = false;
  uint8_t minor_version = 1;
};

struct HttpSession {
  enum class Phase : uint8_t {
    kHead,   // `text` holds the beginning of a head
    kBody,   // the body is being read past, then `reply` is due
    kReply,  // nothing but what is left to send
  };

  Phase phase = Phase::kHead;
  HttpReply reply;
  uint32_t requests = 0;  // that this connection has made
  // A buffer of the text pool; the beginning of a head, or of what is to be
  // sent: its bytes [text_sent, text_size).
  uint32_t text = tcp::kNoIndex;
  uint32_t text_size = 0;
  uint32_t text_sent = 0;
  http::HeadProgress progress;
  http::BodyReader reader;
  uint64_t body_bytes = 0;    // of the request, framing included
  uint64_t body_checked = 0;  // the same at the last look at its progress
  ByteView unsent;            // of the reply's body, behind the text
  SeqNum acknowledged;        // at the last look at the peer's progress
};

// A fixed number of buffers of one size, touched only when used.
class TextPool {
 public:
  TextPool(uint32_t count, uint32_t size)
      : size_(size), memory_(new uint8_t[size_t{count} * size]), free_(count) {
    for (uint32_t i = 0; i < count; ++i) free_[i] = count - 1 - i;
  }

  // tcp::kNoIndex when all are in use.
  uint32_t Allocate() {
    if (free_.empty()) return tcp::kNoIndex;
    const uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }
  void Free(uint32_t index) { free_.push_back(index); }

  uint8_t* operator[](uint32_t index) {
    return memory_.get() + size_t{index} * size_;
  }
  uint32_t size() const { return size_; }
  uint32_t available() const { return static_cast<uint32_t>(free_.size()); }

 private:
  uint32_t size_;
  std::unique_ptr<uint8_t[]> memory_;
  std::vector<uint32_t> free_;  // never grows
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_APP_HTTP_SESSION_H_
