#include "dataplane/app/content.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/app/content_scanner.h"
#include "proto/base/siphash.h"
#include "proto/http/date.h"
#include "proto/http/etag.h"
#include "proto/http/media_type.h"
#include "proto/http/response.h"

namespace corelane::dataplane {
namespace {

constexpr std::string_view kIndex = "index.html";

// The key is no secret: a tag must be the same after a restart.
std::string TagOf(ByteView body) {
  const SipKey key{0x636f72656c616e65, 0x65746167};
  return std::string(http::MakeETag(SipHash13(key, body)).view());
}

// Fills in `answer`. False if the head is longer than we want to copy for each
// response.
bool Prepare(Resource& resource) {
  const http::HttpDate date = http::FormatHttpDate(0);
  http::ResponseHead head;
  head.status = resource.status;
  head.date = date.view();
  head.content_type = resource.media_type;
  head.content_length = resource.body.size();
  head.etag = resource.etag;
  head.extra = resource.extra;
  // Leaves room for the longest Connection field.
  uint8_t out[kMaxResponseHead - 64];
  const size_t size = http::WriteResponseHead(head, out);
  if (size == 0) return false;
  const std::string_view text(reinterpret_cast<const char*>(out), size);
  resource.head_size = static_cast<uint32_t>(size);
  resource.date_offset = static_cast<uint32_t>(text.find(date.view()));
  resource.answer.assign(out, out + size);
  if (resource.is_inline()) {
    resource.answer.insert(resource.answer.end(), resource.body.begin(),
                           resource.body.end());
  }
  return true;
}

// As it stands in a URI reference (RFC 3986 section 3.3), kept to what is safe
// everywhere.
std::string Escape(std::string_view path) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace

absl::Status Content::Reserve(uint64_t bytes) {
  memory_.reset(new (std::nothrow) uint8_t[bytes]);
  if (memory_ == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for ", bytes, " bytes of content"));
  }
  memory_size_ = bytes;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Content>> Content::Fixed(
    uint64_t bytes, std::string_view flag, const ContentLimits& limits) {
  if (bytes > limits.max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(flag), ": ", bytes, " bytes are more than the limit of ",
        limits.max_bytes, "; ask for less or raise --max-content"));
  }
  std::unique_ptr<Content> content(new Content);
  content->is_fixed_ = true;
  absl::Status status = content->Reserve(bytes);
  if (!status.ok()) return status;
  return content;
}

absl::StatusOr<std::unique_ptr<Content>> Content::FromText(
    std::string_view text, const ContentLimits& limits) {
  auto content = Fixed(text.size(), "--body", limits);
  if (!content.ok()) return content;
  Content& c = **content;
  std::copy(text.begin(), text.end(), c.memory_.get());
  c.everything_.body = c.memory();
  c.everything_.media_type = "text/plain; charset=utf-8";
  c.everything_.etag = TagOf(c.memory());
  Prepare(c.everything_);
  return content;
}

absl::StatusOr<std::unique_ptr<Content>> Content::FromSize(
    uint64_t bytes, const ContentLimits& limits) {
  auto content = Fixed(bytes, "--size", limits);
  if (!content.ok()) return content;
  Content& c = **content;
  constexpr size_t kLine = 16;
  char line[kLine + 1] = "000000000000000\n";
  for (uint64_t at = 0; at < bytes; at += kLine) {
    std::memcpy(c.memory_.get() + at, line,
                std::min<uint64_t>(kLine, bytes - at));
    // Counts up in decimal, from the last digit.
    for (size_t i = kLine - 2; ++line[i] > '9' && i > 0; --i) line[i] = '0';
  }
  c.everything_.body = c.memory();
  c.everything_.media_type = "application/octet-stream";
  c.everything_.etag = TagOf(c.memory());
  Prepare(c.everything_);
  return content;
}

void Content::Add(const std::string& path, Resource resource) {
  if (!Prepare(resource)) return;
  resources_.push_back(std::make_unique<Resource>(std::move(resource)));
  by_path_[path] = resources_.back().get();
}

// "/docs" to "/docs/", or relative links in the index would lead astray.
void Content::AddRedirect(const std::string& path) {
  Resource resource;
  resource.status = 301;
  resource.extra = absl::StrCat("Location: ", Escape(path), "/\r\n");
  Add(path, std::move(resource));
}

absl::Status Content::Load(const std::vector<ScannedFile>& files) {
  uint64_t at = 0;
  for (const ScannedFile& file : files) {
    const MutableByteView space(memory_.get() + at, file.size);
    absl::Status status = ReadScannedFile(file, space);
    if (!status.ok()) return status;
    at += file.size;
    Resource resource;
    resource.body = space;
    resource.media_type = http::MediaTypeOf(file.path);
    resource.etag = TagOf(space);
    Add(file.path, resource);
    const size_t slash = file.path.rfind('/') + 1;
    if (file.path.compare(slash, std::string::npos, kIndex) != 0) continue;
    Add(file.path.substr(0, slash), std::move(resource));
    if (slash > 1) AddRedirect(file.path.substr(0, slash - 1));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Content>> Content::FromFolder(
    const std::string& root, const ContentLimits& limits) {
  auto files = ScanFolder(root, limits);
  if (!files.ok()) return files.status();
  uint64_t total = 0;
  for (const ScannedFile& file : *files) total += file.size;
  std::unique_ptr<Content> content(new Content);
  absl::Status status = content->Reserve(total);
  if (status.ok()) status = content->Load(*files);
  if (!status.ok()) return status;
  return content;
}

const Resource* Content::Find(std::string_view path) const {
  if (is_fixed_) return &everything_;
  const auto found = by_path_.find(absl::string_view(path.data(), path.size()));
  return found == by_path_.end() ? nullptr : found->second;
}

}  // namespace corelane::dataplane
