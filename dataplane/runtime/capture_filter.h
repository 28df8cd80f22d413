// Which packets a capture wants: tcpdump's language, by libpcap.
#ifndef CORELANE_DATAPLANE_RUNTIME_CAPTURE_FILTER_H_
#define CORELANE_DATAPLANE_RUNTIME_CAPTURE_FILTER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

struct bpf_program;

namespace corelane::runtime {

class CaptureFilter {
 public:
  // "tcp port 80"; an empty text lets everything through. The message says what
  // libpcap does not understand.
  static absl::StatusOr<CaptureFilter> Compile(const std::string& text);

  // `bytes` is the beginning of a frame of `length` bytes.
  bool Matches(const uint8_t* bytes, uint32_t captured, uint32_t length) const;

 private:
  explicit CaptureFilter(std::shared_ptr<bpf_program> program)
      : program_(std::move(program)) {}

  std::shared_ptr<bpf_program> program_;  // nullptr: everything
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_CAPTURE_FILTER_H_
