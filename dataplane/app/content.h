// What the HTTP server has to offer: one fixed answer, or the files of a folder
// as they were at start.
#ifndef CORELANE_DATAPLANE_APP_CONTENT_H_
#define CORELANE_DATAPLANE_APP_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/app/content_scanner.h"
#include "proto/base/bytes.h"

namespace corelane::dataplane {

// A body up to this size goes out in one piece with its head: copying it is
// cheaper than a second run of bytes in the send queue.
inline constexpr size_t kInlineBody = 256;
// No head that we answer with is longer.
inline constexpr size_t kMaxResponseHead = 2048;

struct Resource {
  int status = 200;  // or 301, with `extra` saying where to
  ByteView body;
  std::string_view media_type;
  std::string etag;   // with its quotes; empty for none
  std::string extra;  // whole field lines
  // The answer to an HTTP/1.1 GET that keeps the connection, but for the date
  // at `date_offset`: the head, and an inline body behind it.
  std::vector<uint8_t> answer;
  uint32_t head_size = 0;
  uint32_t date_offset = 0;

  bool is_inline() const { return body.size() <= kInlineBody; }
};

// Never changes once it is made, so that all cores may share it. It outlives
// every connection: bodies are sent from where they lie.
class Content {
 public:
  // The same answer on every path: this text,
  static absl::StatusOr<std::unique_ptr<Content>> FromText(
      std::string_view text, const ContentLimits& limits = {});
  // ... or so many bytes: numbered lines of 16, so that a receiver can tell
  // where a byte came from.
  static absl::StatusOr<std::unique_ptr<Content>> FromSize(
      uint64_t bytes, const ContentLimits& limits = {});
  // The files below a folder. A folder's own path is answered with its
  // index.html. See content_scanner.h for what is left out. Errors name the
  // file or folder.
  static absl::StatusOr<std::unique_ptr<Content>> FromFolder(
      const std::string& root, const ContentLimits& limits = {});

  // `path` is normalised (proto/http/path.h). nullptr if there is none.
  const Resource* Find(std::string_view path) const;

  // The answer to every path, or nullptr where paths matter.
  const Resource* everything() const {
    return is_fixed_ ? &everything_ : nullptr;
  }

  // All bodies, for whoever has to register memory with a device.
  ByteView memory() const { return {memory_.get(), memory_size_}; }
  // Paths that are answered; 0 for a fixed answer, which has them all.
  size_t paths() const { return by_path_.size(); }

 private:
  Content() = default;

  static absl::StatusOr<std::unique_ptr<Content>> Fixed(
      uint64_t bytes, std::string_view flag, const ContentLimits& limits);
  absl::Status Reserve(uint64_t bytes);
  absl::Status Load(const std::vector<ScannedFile>& files);
  void Add(const std::string& path, Resource resource);
  void AddRedirect(const std::string& path);

  std::unique_ptr<uint8_t[]> memory_;
  size_t memory_size_ = 0;
  Resource everything_;  // the fixed answer
  bool is_fixed_ = false;
  std::vector<std::unique_ptr<Resource>> resources_;
  absl::flat_hash_map<std::string, const Resource*> by_path_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_APP_CONTENT_H_
