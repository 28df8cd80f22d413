#include "dataplane/runtime/capture_session.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/runtime/runtime.h"

namespace corelane::runtime {
namespace {

constexpr Duration kTimeout = 2s;
constexpr uint64_t kRingBytes =
    (sizeof(CaptureRingHeader) + CaptureSession::kCapacity + 4095) / 4096 *
    4096;

}  // namespace

bool CaptureSession::InUse() const {
  const auto* header = reinterpret_cast<const CaptureRingHeader*>(memory_);
  const uint64_t before = header->pulse.load();
  std::this_thread::sleep_for(std::chrono::milliseconds(350));
  return header->pulse.load() != before;
}

absl::StatusOr<CaptureGrant> CaptureSession::Start(const std::string& filter) {
  auto compiled = CaptureFilter::Compile(filter);
  if (!compiled.ok()) return compiled.status();
  if (memory_ != nullptr) {
    if (InUse()) {
      return absl::FailedPreconditionError(
          "another capture is under way; end that one first");
    }
    if (absl::Status s = Stop(); !s.ok()) return s;
  }
  if (absl::Status s = Reserve(runtime_.cores()); !s.ok()) return s;
  for (uint32_t i = 0; i < runtime_.cores(); ++i) {
    taps_.push_back(std::make_unique<CaptureTap>(
        *compiled, memory_ + i * kRingBytes, kCapacity));
  }
  for (uint32_t i = 0; i < runtime_.cores(); ++i) {
    CoreLoop& core = runtime_.core(i);
    absl::Status s = core.mailbox().Call(
        [&](dataplane::Pipeline&) { core.SetTap(taps_[i].get()); }, kTimeout);
    if (s.ok()) continue;
    Stop().IgnoreError();
    return s;
  }
  return CaptureGrant{static_cast<int>(getpid()), fd_, runtime_.cores(),
                      kRingBytes};
}

absl::Status CaptureSession::Reserve(uint32_t rings) {
  size_ = rings * kRingBytes;
  fd_ = memfd_create("corelane capture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  // Sealed, so that no client can shrink it below our feet.
  if (fd_ < 0 || ftruncate(fd_, static_cast<off_t>(size_)) != 0 ||
      fcntl(fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    const int error = errno;
    Release();
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for captured packets: ", std::strerror(error)));
  }
  void* memory =
      mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (memory == MAP_FAILED) {
    Release();
    return absl::ResourceExhaustedError("no memory for captured packets");
  }
  memory_ = static_cast<uint8_t*>(memory);
  return absl::OkStatus();
}

absl::Status CaptureSession::Stop() {
  for (uint32_t i = 0; i < runtime_.cores(); ++i) {
    CoreLoop& core = runtime_.core(i);
    absl::Status s = core.mailbox().Call(
        [&](dataplane::Pipeline&) { core.SetTap(nullptr); }, kTimeout);
    // It may still be writing: everything stays.
    if (!s.ok()) return s;
  }
  Release();
  return absl::OkStatus();
}

void CaptureSession::Release() {
  taps_.clear();
  if (memory_ != nullptr) munmap(memory_, size_);
  memory_ = nullptr;
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

}  // namespace corelane::runtime
