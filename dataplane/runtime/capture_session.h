// A capture of a running instance: taps on all cores, rings that a client maps.
#ifndef CORELANE_DATAPLANE_RUNTIME_CAPTURE_SESSION_H_
#define CORELANE_DATAPLANE_RUNTIME_CAPTURE_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/runtime/capture_tap.h"

namespace corelane::runtime {

class Runtime;

// What a client needs to map the rings: /proc/PID/fd/FD holds `rings` of
// `ring_bytes` each, header included.
struct CaptureGrant {
  int pid = 0;
  int fd = -1;
  uint32_t rings = 0;
  uint64_t ring_bytes = 0;
};

// One at a time. A capture whose client died goes off by itself, core by core,
// and gives way to the next. Control threads call it, one at a time.
class CaptureSession {
 public:
  static constexpr uint64_t kCapacity = uint64_t{4} << 20;  // per core

  explicit CaptureSession(Runtime* runtime) : runtime_(*runtime) {}
  // The cores' loops have ended.
  ~CaptureSession() { Release(); }
  CaptureSession(const CaptureSession&) = delete;
  CaptureSession& operator=(const CaptureSession&) = delete;

  absl::StatusOr<CaptureGrant> Start(const std::string& filter);
  absl::Status Stop();

 private:
  absl::Status Reserve(uint32_t rings);
  // Whether somebody still reads: takes a third of a second to find out.
  bool InUse() const;
  void Release();

  Runtime& runtime_;
  int fd_ = -1;
  uint8_t* memory_ = nullptr;
  size_t size_ = 0;
  std::vector<std::unique_ptr<CaptureTap>> taps_;  // by core
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_CAPTURE_SESSION_H_
