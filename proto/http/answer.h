// Reads responses as a client that checks them (RFC 9112 sections 4, 6 and 7).
#ifndef CORELANE_PROTO_HTTP_ANSWER_H_
#define CORELANE_PROTO_HTTP_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/base/bytes.h"

namespace corelane::http {

// One response after the other, fed in pieces of any size.
class AnswerReader {
 public:
  enum class State : uint8_t { kReading, kComplete, kBad };

  // Heads beyond this are not read to their end.
  static constexpr size_t kMaxHead = 16384;

  // Forgets everything: the next byte begins a response to a GET.
  void Reset();
  // Takes bytes up to the end of the response; returns how many. Once complete
  // or bad it takes none.
  size_t Feed(ByteView bytes);
  // The connection has ended in order: which ends a body without a length.
  void End();

  State state() const { return state_; }
  int status() const { return status_; }      // once the head was read
  uint64_t body() const { return body_; }     // bytes of it, so far
  bool will_close() const { return close_; }  // no response follows

 private:
  enum class Part : uint8_t {
    kHead,
    kLength,  // a body of known length
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailer,
    kUntilClose,
  };

  size_t FeedHead(ByteView bytes);
  size_t FeedLine(ByteView bytes);
  void ReadHead(std::string_view head);
  void ReadField(std::string_view name, std::string_view value);
  void ReadLine();
  void Bad() { state_ = State::kBad; }

  State state_ = State::kReading;
  Part part_ = Part::kHead;
  int status_ = 0;
  bool close_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
  uint64_t left_ = 0;  // of the body, or of the chunk
  uint64_t body_ = 0;
  std::string text_;  // what has come of a head or line that is not complete
};

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_ANSWER_H_
