#include "dataplane/runtime/stderr_hold.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace corelane::runtime {

StderrHold::StderrHold()
    : saved_(fcntl(2, F_DUPFD_CLOEXEC, 3)),
      kept_(memfd_create("stderr", MFD_CLOEXEC)) {
  if (saved_ >= 0 && kept_ >= 0) dup2(kept_, 2);
}

StderrHold::~StderrHold() {
  if (saved_ >= 0) {
    dup2(saved_, 2);
    close(saved_);
  }
  if (kept_ >= 0) close(kept_);
}

std::string StderrHold::FirstLine() const {
  char text[512];
  const ssize_t n = kept_ < 0 ? 0 : pread(kept_, text, sizeof(text), 0);
  const char* end = text + std::max<ssize_t>(n, 0);
  return std::string(static_cast<const char*>(text),
                     std::find(static_cast<const char*>(text), end, '\n'));
}

}  // namespace corelane::runtime
