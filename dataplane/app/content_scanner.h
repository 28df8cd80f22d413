// Finds the files below a folder that a server may show.
#ifndef CORELANE_DATAPLANE_APP_CONTENT_SCANNER_H_
#define CORELANE_DATAPLANE_APP_CONTENT_SCANNER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/base/bytes.h"

namespace corelane::dataplane {

struct ContentLimits {
  uint64_t max_bytes = uint64_t{1} << 30;  // --max-content
  uint32_t max_files = 100000;
};

struct ScannedFile {
  std::string path;  // below the root, with a slash in front
  std::string file;  // where to open it, every symbolic link resolved
  uint64_t size = 0;
};

// Sorted by path. Left out: names that begin with a dot or hold control
// characters, what is neither file nor folder, and symbolic links that lead
// nowhere, out of the root, or back to a folder above them.
absl::StatusOr<std::vector<ScannedFile>> ScanFolder(
    const std::string& root, const ContentLimits& limits);

// Fills `out`, whose size is the file's. An error if the file has become
// shorter since.
absl::Status ReadScannedFile(const ScannedFile& file, MutableByteView out);

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_APP_CONTENT_SCANNER_H_
