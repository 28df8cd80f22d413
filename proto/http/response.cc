#include "proto/http/response.h"

#include <charconv>
#include <cstring>

#include "proto/http/status.h"

namespace corelane::http {
namespace {

// Appends while there is room; once something did not fit, nothing does.
class Writer {
 public:
  explicit Writer(MutableByteView out) : out_(out) {}

  void Text(std::string_view text) {
    if (text.size() > out_.size() - size_) full_ = true;
    if (full_ || text.empty()) return;
    std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }

  void Number(uint64_t value) {
    char digits[20];
    std::to_chars_result end =
        std::to_chars(digits, digits + sizeof(digits), value);
    Text({digits, static_cast<size_t>(end.ptr - digits)});
  }

  // `name` comes with the line before it closed, and with its colon.
  void Field(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    Text(name);
    Text(value);
  }

  size_t size() const { return full_ ? 0 : size_; }

 private:
  MutableByteView out_;
  size_t size_ = 0;
  bool full_ = false;
};

void StatusLine(int status, Writer& writer) {
  if (status == 200) {
    writer.Text("HTTP/1.1 200 OK");
    return;
  }
  writer.Text("HTTP/1.1 ");
  writer.Number(static_cast<uint64_t>(status));
  writer.Text(" ");
  writer.Text(ReasonPhrase(status));
}

void Connection(ConnectionField connection, Writer& writer) {
  switch (connection) {
    case ConnectionField::kNone:
      break;
    case ConnectionField::kClose:
      writer.Text("\r\nConnection: close");
      break;
    case ConnectionField::kKeepAlive:
      writer.Text("\r\nConnection: keep-alive");
      break;
  }
}

bool MayHaveLength(int status) { return status >= 200 && status != 204; }

}  // namespace

ConnectionField ConnectionFor(uint8_t minor_version, bool keep_alive) {
  if (!keep_alive) return ConnectionField::kClose;
  return minor_version == 0 ? ConnectionField::kKeepAlive
                            : ConnectionField::kNone;
}

size_t WriteResponseHead(const ResponseHead& head, MutableByteView out) {
  Writer writer(out);
  StatusLine(head.status, writer);
  writer.Text("\r\nServer: corelane");
  writer.Field("\r\nDate: ", head.date);
  writer.Field("\r\nContent-Type: ", head.content_type);
  if (head.content_length.has_value() && MayHaveLength(head.status)) {
    writer.Text("\r\nContent-Length: ");
    writer.Number(*head.content_length);
  }
  writer.Field("\r\nETag: ", head.etag);
  writer.Field("\r\nAllow: ", head.allow);
  writer.Field("\r\nCache-Control: ", head.cache_control);
  Connection(head.connection, writer);
  writer.Text("\r\n");
  writer.Text(head.extra);
  writer.Text("\r\n");
  return writer.size();
}

}  // namespace corelane::http
