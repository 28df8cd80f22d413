#include "proto/http/body.h"

#include <algorithm>

#include "proto/http/syntax.h"

namespace corelane::http {
namespace {

// As many as a uint64_t holds, leading zeros included, so that a size can
// neither overflow nor go on for ever.
constexpr uint8_t kMaxSizeDigits = 16;

}  // namespace

BodyReader::BodyReader(const BodyFraming& framing, const BodyLimits& limits)
    : limits_(limits) {
  switch (framing.kind) {
    case BodyFraming::Kind::kNone:
      break;
    case BodyFraming::Kind::kLength:
      remaining_ = framing.content_length;
      if (remaining_ > 0) step_ = Step::kLengthData;
      if (remaining_ > limits.max_body) Fail(413);
      break;
    case BodyFraming::Kind::kChunked:
      step_ = Step::kSizeFirst;
      break;
  }
}

BodyResult BodyReader::Feed(ByteView bytes) {
  size_t consumed = 0;
  while (consumed < bytes.size() && step_ != Step::kDone &&
         step_ != Step::kBad) {
    consumed += Advance(bytes.subspan(consumed));
  }
  if (step_ == Step::kBad) return {0, BodyState::kBad, http_status_};
  if (step_ == Step::kDone) return {consumed, BodyState::kDone, 0};
  return {consumed, BodyState::kNeedMore, 0};
}

size_t BodyReader::Advance(ByteView bytes) {
  uint8_t byte = bytes.front();
  switch (step_) {
    case Step::kLengthData:
    case Step::kData:
      return SkipData(bytes);
    case Step::kSizeFirst:
      remaining_ = 0;
      size_digits_ = 0;
      return AddSizeDigit(byte);
    case Step::kSize:
      return HexValue(static_cast<char>(byte)) >= 0 ? AddSizeDigit(byte)
                                                    : AfterSize(byte);
    case Step::kSizePadding:
    case Step::kExtension:
      return AdvanceExtension(byte);
    case Step::kSizeLf:
      return Expect(byte, '\n',
                    remaining_ > 0 ? Step::kData : Step::kTrailerStart);
    case Step::kDataCr:
      return Expect(byte, '\r', Step::kDataLf);
    case Step::kDataLf:
      return Expect(byte, '\n', Step::kSizeFirst);
    default:
      return AdvanceTrailer(byte);
  }
}

// The trailer section (RFC 9112 section 7.1.2) is dropped, but must be as well
// formed as the head: what comes after it is read as the next request.
size_t BodyReader::AdvanceTrailer(uint8_t byte) {
  if (step_ == Step::kEndLf) return Expect(byte, '\n', Step::kDone);
  if (step_ == Step::kTrailerStart && byte == '\r') {
    return Expect(byte, '\r', Step::kEndLf);
  }
  if (++trailer_bytes_ > limits_.max_trailers) return Fail(431);
  switch (step_) {
    case Step::kTrailerStart:
      if (!IsChar(static_cast<char>(byte), kTokenChar)) return Fail(400);
      step_ = Step::kTrailerName;
      return 1;
    case Step::kTrailerName:
      if (IsChar(static_cast<char>(byte), kTokenChar)) return 1;
      return Expect(byte, ':', Step::kTrailerValue);
    case Step::kTrailerValue:
      if (IsChar(static_cast<char>(byte), kValueChar)) return 1;
      return Expect(byte, '\r', Step::kTrailerLf);
    case Step::kTrailerLf:
      return Expect(byte, '\n', Step::kTrailerStart);
    default:
      return Fail(400);
  }
}

size_t BodyReader::SkipData(ByteView bytes) {
  uint64_t taken = std::min<uint64_t>(bytes.size(), remaining_);
  remaining_ -= taken;
  payload_bytes_ += taken;
  if (remaining_ == 0) {
    step_ = step_ == Step::kLengthData ? Step::kDone : Step::kDataCr;
  }
  return taken;
}

// chunk-ext = *( BWS ";" ... ) (RFC 9112 section 7.1.1): blanks alone are no
// extension. No CR may be in one, not even in quotes, so the line's end is
// never in doubt.
size_t BodyReader::AdvanceExtension(uint8_t byte) {
  char c = static_cast<char>(byte);
  if (step_ == Step::kExtension && c == '\r') {
    return Expect(byte, '\r', Step::kSizeLf);
  }
  if (++extension_bytes_ > limits_.max_extensions) return Fail(400);
  if (c == ';') {
    step_ = Step::kExtension;
    return 1;
  }
  bool allowed =
      step_ == Step::kExtension ? IsChar(c, kValueChar) : c == ' ' || c == '\t';
  return allowed ? 1 : Fail(400);
}

size_t BodyReader::Expect(uint8_t byte, char wanted, Step next) {
  if (byte != static_cast<uint8_t>(wanted)) return Fail(400);
  step_ = next;
  return 1;
}

// Further digits can only make it more: too much is refused at once.
size_t BodyReader::AddSizeDigit(uint8_t byte) {
  int digit = HexValue(static_cast<char>(byte));
  if (digit < 0 || ++size_digits_ > kMaxSizeDigits) return Fail(400);
  remaining_ = remaining_ << 4 | static_cast<uint64_t>(digit);
  if (remaining_ > limits_.max_body - payload_bytes_) return Fail(413);
  step_ = Step::kSize;
  return 1;
}

size_t BodyReader::AfterSize(uint8_t byte) {
  if (byte == '\r') return Expect(byte, '\r', Step::kSizeLf);
  step_ = Step::kSizePadding;
  return AdvanceExtension(byte);
}

size_t BodyReader::Fail(int http_status) {
  step_ = Step::kBad;
  http_status_ = static_cast<uint16_t>(http_status);
  return 0;
}

}  // namespace corelane::http
