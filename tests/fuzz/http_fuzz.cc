// The HTTP parsers on arbitrary bytes: however the input is cut, the result is
// the same, nothing beyond it is read, and what was promised holds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/http/body.h"
#include "proto/http/etag.h"
#include "proto/http/media_type.h"
#include "proto/http/path.h"
#include "proto/http/request.h"

namespace corelane::http {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

// Small, so that short inputs reach them.
constexpr HeadLimits kHeadLimits = {
    .max_head = 512, .max_target = 128, .max_method = 16, .max_fields = 10};
constexpr BodyLimits kBodyLimits = {
    .max_body = 256, .max_extensions = 32, .max_trailers = 64};

std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void CheckSameHead(const RequestHead& a, const RequestHead& b) {
  Check(a.method == b.method && a.minor_version == b.minor_version);
  Check(a.keep_alive == b.keep_alive);
  Check(a.expect_continue == b.expect_continue);
  Check(a.body.kind == b.body.kind);
  Check(a.body.content_length == b.body.content_length);
  Check(a.target == b.target && a.path == b.path && a.host == b.host);
  Check(a.if_none_match == b.if_none_match);
}

// Grows the view from `first` by `step`, in fresh memory each time.
void CheckSplitHead(ByteView input, const ParseResult& whole,
                    const RequestHead& whole_head, size_t first, size_t step) {
  HeadProgress progress;
  size_t size = std::min(first, input.size());
  while (true) {
    std::unique_ptr<uint8_t[]> copy(new uint8_t[size]);
    std::copy_n(input.begin(), size, copy.get());
    std::string_view view = AsText({copy.get(), size});
    RequestHead head;
    ParseResult result = ResumeRequestHead(view, kHeadLimits, progress, head);
    Check(progress.examined <= size);
    if (result.status == ParseStatus::kNeedMore && size < input.size()) {
      Check(progress.examined == size);
      size = std::min(size + step, input.size());
      continue;
    }
    Check(result.status == whole.status);
    Check(result.http_status == whole.http_status);
    Check(result.consumed == whole.consumed);
    if (result.status == ParseStatus::kComplete) {
      CheckSameHead(head, whole_head);
    }
    return;
  }
}

void CheckBody(const BodyFraming& framing, ByteView input, size_t step) {
  BodyReader whole(framing, kBodyLimits);
  BodyResult expected = whole.Feed(input);
  Check(expected.consumed <= input.size());
  Check((expected.state == BodyState::kBad) == (expected.http_status != 0));
  Check(whole.payload_bytes() <= kBodyLimits.max_body);

  BodyReader reader(framing, kBodyLimits);
  BodyResult result = reader.Feed({});
  size_t total = 0;
  while (result.state == BodyState::kNeedMore && total < input.size()) {
    size_t size = std::min(step, input.size() - total);
    result = reader.Feed(input.subspan(total, size));
    if (result.state == BodyState::kNeedMore) Check(result.consumed == size);
    total += result.consumed;
  }
  Check(result.state == expected.state);
  Check(result.http_status == expected.http_status);
  Check(reader.payload_bytes() == whole.payload_bytes());
  if (result.state != BodyState::kBad) Check(total == expected.consumed);
}

void CheckPath(std::string_view raw) {
  std::vector<char> buffer(raw.size());
  std::optional<std::string_view> path = NormalizePath(raw, buffer);
  if (!path.has_value()) return;
  Check(path->size() <= raw.size() && path->front() == '/');
  Check(path->find("//") == std::string_view::npos);
  Check(path->find("/../") == std::string_view::npos);
  Check(path->find("/./") == std::string_view::npos);
  Check(path->find('\0') == std::string_view::npos);
  MediaTypeOf(*path);
}

void CheckHead(ByteView input, size_t cut) {
  RequestHead head;
  ParseResult result = ParseRequestHead(AsText(input), kHeadLimits, head);
  Check(result.consumed <= input.size());
  Check((result.status == ParseStatus::kBad) == (result.http_status != 0));
  Check((result.status == ParseStatus::kComplete) == (result.consumed != 0));
  Check(result.status != ParseStatus::kNeedMore ||
        input.size() < kHeadLimits.max_head);
  CheckSplitHead(input, result, head, 0, 1);
  CheckSplitHead(input, result, head, cut, input.size());
  if (result.status != ParseStatus::kComplete) return;
  Check(result.consumed <= kHeadLimits.max_head);
  // The head is complete at its last byte and not before.
  RequestHead again;
  ByteView exact = input.first(result.consumed);
  Check(ParseRequestHead(AsText(exact), kHeadLimits, again).consumed ==
        result.consumed);
  ByteView shorter = input.first(result.consumed - 1);
  Check(ParseRequestHead(AsText(shorter), kHeadLimits, again).status ==
        ParseStatus::kNeedMore);
  CheckPath(head.path);
  IfNoneMatchMatches(head.if_none_match, MakeETag(cut).view());
  CheckBody(head.body, input.subspan(result.consumed), 1 + cut % 7);
}

}  // namespace
}  // namespace corelane::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using corelane::http::BodyFraming;
  corelane::ByteView input(data, size);
  // Any function of the input would do: the place to cut, without spending a
  // byte of it that would make the corpus unreadable.
  size_t cut = 0;
  for (uint8_t byte : input) cut = cut * 31 + byte;
  cut = size == 0 ? 0 : cut % size;
  corelane::http::CheckHead(input, cut);
  corelane::http::CheckBody({BodyFraming::Kind::kChunked, 0}, input, 1);
  corelane::http::CheckBody({BodyFraming::Kind::kLength, cut}, input, 3);
  std::string_view text = corelane::http::AsText(input);
  corelane::http::CheckPath(text);
  corelane::http::IfNoneMatchMatches(text, "\"a\"");
  return 0;
}
