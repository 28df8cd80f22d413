#include <algorithm>
#include <array>
#include <cstring>

#include "proto/http/response.h"
#include "proto/http/status.h"

namespace corelane::http {
namespace {

constexpr std::string_view kAllowed = "GET, HEAD";
constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

constexpr std::array<int, 11> kStatuses = {400, 404, 405, 408, 413, 414,
                                           431, 500, 501, 503, 505};
constexpr size_t kFallback = 7;  // 500
static_assert(kStatuses[kFallback] == 500);

struct Prebuilt {
  std::array<uint8_t, 256> bytes;
  size_t head_size;
  size_t size;
};

// The body is the status and its reason, for whoever looks at it by eye.
size_t Compose(int status, std::string_view date, ConnectionField connection,
               MutableByteView out, size_t& head_size) {
  std::string_view reason = ReasonPhrase(status);
  ResponseHead head;
  head.status = status;
  head.date = date;
  head.connection = connection;
  head.content_type = kPlainText;
  head.content_length = reason.size() + 5;
  if (status == 405) head.allow = kAllowed;
  head_size = WriteResponseHead(head, out);
  if (head_size == 0) return 0;
  MutableByteView body = out.subspan(head_size);
  if (body.size() < *head.content_length) return 0;
  body[0] = static_cast<uint8_t>('0' + status / 100);
  body[1] = static_cast<uint8_t>('0' + status / 10 % 10);
  body[2] = static_cast<uint8_t>('0' + status % 10);
  body[3] = ' ';
  std::memcpy(body.data() + 4, reason.data(), reason.size());
  body[4 + reason.size()] = '\n';
  return head_size + *head.content_length;
}

using PrebuiltTable = std::array<Prebuilt, kStatuses.size()>;

PrebuiltTable BuildTable() {
  PrebuiltTable table;
  for (size_t i = 0; i < table.size(); ++i) {
    Prebuilt& entry = table[i];
    entry.size = Compose(kStatuses[i], {}, ConnectionField::kClose, entry.bytes,
                         entry.head_size);
  }
  return table;
}

size_t IndexOf(int status) {
  const auto* found = std::find(kStatuses.begin(), kStatuses.end(), status);
  if (found == kStatuses.end()) return kFallback;
  return static_cast<size_t>(found - kStatuses.begin());
}

const Prebuilt& Lookup(int status) {
  static const PrebuiltTable table = BuildTable();
  return table[IndexOf(status)];
}

}  // namespace

ByteView ErrorResponse(int status) {
  const Prebuilt& entry = Lookup(status);
  return ByteView(entry.bytes).first(entry.size);
}

ByteView ErrorResponseHead(int status) {
  const Prebuilt& entry = Lookup(status);
  return ByteView(entry.bytes).first(entry.head_size);
}

ByteView ContinueResponse() {
  static constexpr std::string_view kText = "HTTP/1.1 100 Continue\r\n\r\n";
  return {reinterpret_cast<const uint8_t*>(kText.data()), kText.size()};
}

size_t WriteErrorResponse(int status, std::string_view date,
                          ConnectionField connection, bool head_only,
                          MutableByteView out) {
  size_t head_size = 0;
  size_t size =
      Compose(kStatuses[IndexOf(status)], date, connection, out, head_size);
  return head_only ? head_size : size;
}

}  // namespace corelane::http
