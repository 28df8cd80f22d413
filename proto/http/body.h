// Reads a request's body past, in constant memory and without copying, to find
// where it ends (RFC 9112 sections 6.3 and 7.1).
#ifndef CORELANE_PROTO_HTTP_BODY_H_
#define CORELANE_PROTO_HTTP_BODY_H_

#include <cstddef>
#include <cstdint>

#include "proto/base/bytes.h"
#include "proto/http/request.h"

namespace corelane::http {

struct BodyLimits {
  uint64_t max_body = 1 << 20;  // bytes of payload, chunk framing not counted
  // Bytes of chunk extensions, summed over all chunks: without a bound, a body
  // of one-byte chunks is a cheap way to make us read for ever.
  uint32_t max_extensions = 4096;
  uint32_t max_trailers = 8192;  // bytes of the trailer section
};

enum class BodyState : uint8_t { kNeedMore, kDone, kBad };

struct BodyResult {
  // Of the bytes given: how many belong to the body. All of them if kNeedMore;
  // what is left if kDone begins the next request. 0 if kBad.
  size_t consumed = 0;
  BodyState state = BodyState::kNeedMore;
  // kBad: what to answer before closing, 400, 413 or 431. Else 0.
  int http_status = 0;
};

// One per request with a body. Cutting the body differently changes nothing.
class BodyReader {
 public:
  // Done from the start.
  BodyReader() = default;
  // kNone and a length of 0 are done from the start, and a length above the
  // limit is bad (413): Feed({}) tells, before "100 Continue" is sent.
  BodyReader(const BodyFraming& framing, const BodyLimits& limits);

  // Takes the bytes that follow those consumed before. After kDone and kBad it
  // consumes nothing and answers the same again.
  BodyResult Feed(ByteView bytes);

  // Bytes of payload that went by.
  uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  enum class Step : uint8_t {
    kLengthData,
    kSizeFirst,
    kSize,
    kSizePadding,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kEndLf,
    kDone,
    kBad,
  };

  // Each returns how many bytes it took: at least one, or 0 with kBad.
  size_t Advance(ByteView bytes);
  size_t SkipData(ByteView bytes);
  size_t AdvanceExtension(uint8_t byte);
  size_t AdvanceTrailer(uint8_t byte);
  size_t Expect(uint8_t byte, char wanted, Step next);
  size_t AddSizeDigit(uint8_t byte);
  size_t AfterSize(uint8_t byte);
  size_t Fail(int http_status);

  BodyLimits limits_;
  uint64_t remaining_ = 0;  // of the length, or of the chunk
  uint64_t payload_bytes_ = 0;
  uint32_t extension_bytes_ = 0;
  uint32_t trailer_bytes_ = 0;
  uint16_t http_status_ = 0;
  uint8_t size_digits_ = 0;
  Step step_ = Step::kDone;
};

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_BODY_H_
