#include "dataplane/app/content_scanner.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace corelane::dataplane {
namespace {

// Deeper than that is a mistake, or a loop that was not recognised.
constexpr size_t kMaxDepth = 64;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

absl::Status CannotRead(const std::string& what, int error) {
  char buffer[128];
  return absl::InvalidArgumentError(
      absl::StrCat("--root: cannot read ", what, ": ",
                   strerror_r(error, buffer, sizeof(buffer))));
}

// Empty if it leads nowhere.
std::string Resolve(const std::string& path) {
  char buffer[PATH_MAX];
  return realpath(path.c_str(), buffer) == nullptr ? std::string() : buffer;
}

bool MayBeShown(std::string_view name) {
  return name.front() != '.' &&
         std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
         });
}

class Scanner {
 public:
  Scanner(std::string root, const ContentLimits& limits)
      : root_(std::move(root)), limits_(limits) {}

  // `folder` is resolved; `path` is where it appears, without a slash behind.
  absl::Status Walk(const std::string& folder, const std::string& path) {
    if (above_.size() >= kMaxDepth) {
      return absl::InvalidArgumentError(
          absl::StrCat("--root ", root_, ": ", folder, " lies more than ",
                       kMaxDepth, " folders deep"));
    }
    std::unique_ptr<DIR, CloseFolder> open(opendir(folder.c_str()));
    if (open == nullptr) return CannotRead(folder, errno);
    above_.push_back(folder);
    for (;;) {
      errno = 0;
      // One thread only, and a stream of our own.
      const dirent* entry = readdir(open.get());  // NOLINT(concurrency-*)
      if (entry == nullptr) break;
      if (!MayBeShown(entry->d_name)) continue;
      absl::Status status = Visit(absl::StrCat(folder, "/", entry->d_name),
                                  absl::StrCat(path, "/", entry->d_name));
      if (!status.ok()) return status;
    }
    if (errno != 0) return CannotRead(folder, errno);
    above_.pop_back();
    return absl::OkStatus();
  }

  std::vector<ScannedFile>& files() { return files_; }

 private:
  absl::Status Visit(const std::string& entry, const std::string& path) {
    const std::string target = Resolve(entry);
    struct stat info {};
    if (!IsBelowRoot(target) || stat(target.c_str(), &info) != 0) {
      return absl::OkStatus();
    }
    if (S_ISDIR(info.st_mode)) {
      const bool loop =
          std::find(above_.begin(), above_.end(), target) != above_.end();
      return loop ? absl::OkStatus() : Walk(target, path);
    }
    if (!S_ISREG(info.st_mode)) return absl::OkStatus();
    return Take(target, path, static_cast<uint64_t>(info.st_size));
  }

  absl::Status Take(const std::string& file, const std::string& path,
                    uint64_t size) {
    if (size > limits_.max_bytes - total_) {
      return absl::InvalidArgumentError(
          absl::StrCat("--root ", root_, ": with ", file, " (", size,
                       " bytes) its files exceed ", limits_.max_bytes,
                       " bytes; raise --max-content"));
    }
    if (files_.size() >= limits_.max_files) {
      return absl::InvalidArgumentError(
          absl::StrCat("--root ", root_, ": more than ", limits_.max_files,
                       " files; give a smaller folder"));
    }
    total_ += size;
    files_.push_back({path, file, size});
    return absl::OkStatus();
  }

  bool IsBelowRoot(std::string_view target) const {
    return target.size() > root_.size() &&
           target.substr(0, root_.size()) == root_ &&
           (root_ == "/" || target[root_.size()] == '/');
  }

  const std::string root_;
  const ContentLimits limits_;
  uint64_t total_ = 0;
  std::vector<std::string> above_;  // folders from the root to this one
  std::vector<ScannedFile> files_;
};

}  // namespace

absl::StatusOr<std::vector<ScannedFile>> ScanFolder(
    const std::string& root, const ContentLimits& limits) {
  const std::string resolved = Resolve(root);
  struct stat info {};
  if (resolved.empty() || stat(resolved.c_str(), &info) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--root ", root, ": there is no such folder"));
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--root ", root, ": not a folder; to serve one text give --body"));
  }
  Scanner scanner(resolved, limits);
  absl::Status status = scanner.Walk(resolved, "");
  if (!status.ok()) return status;
  if (scanner.files().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--root ", root, ": there are no files to serve in it"));
  }
  std::sort(scanner.files().begin(), scanner.files().end(),
            [](const ScannedFile& a, const ScannedFile& b) {
              return a.path < b.path;
            });
  return std::move(scanner.files());
}

absl::Status ReadScannedFile(const ScannedFile& file, MutableByteView out) {
  const int fd = open(file.file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return CannotRead(file.file, errno);
  absl::Status status;
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = read(fd, out.data() + done, out.size() - done);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n == 0) {
      status = absl::InvalidArgumentError(absl::StrCat(
          "--root: ", file.file, " became shorter while it was read"));
      break;
    } else if (errno != EINTR) {
      status = CannotRead(file.file, errno);
      break;
    }
  }
  close(fd);
  return status;
}

}  // namespace corelane::dataplane
