#include "proto/http/response.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "proto/http/date.h"
#include "proto/http/status.h"

namespace corelane::http {
namespace {

std::string Text(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

std::string Write(const ResponseHead& head) {
  std::array<uint8_t, 512> buffer;
  return Text(ByteView(buffer).first(WriteResponseHead(head, buffer)));
}

TEST(ResponseTest, Smallest) {
  EXPECT_EQ(Write({}), "HTTP/1.1 200 OK\r\nServer: corelane\r\n\r\n");
}

ResponseHead FullHead() {
  ResponseHead head;
  head.status = 405;
  head.connection = ConnectionField::kClose;
  head.content_length = 18446744073709551615u;
  head.date = "Thu, 01 Jan 1970 00:00:00 GMT";
  head.content_type = "text/html";
  head.etag = "\"1\"";
  head.allow = "GET";
  head.cache_control = "no-cache";
  head.extra = "X-A: b\r\nX-C: d\r\n";
  return head;
}

TEST(ResponseTest, AllFields) {
  EXPECT_EQ(Write(FullHead()),
            "HTTP/1.1 405 Method Not Allowed\r\n"
            "Server: corelane\r\n"
            "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "Content-Type: text/html\r\n"
            "Content-Length: 18446744073709551615\r\n"
            "ETag: \"1\"\r\n"
            "Allow: GET\r\n"
            "Cache-Control: no-cache\r\n"
            "Connection: close\r\n"
            "X-A: b\r\nX-C: d\r\n"
            "\r\n");
}

TEST(ResponseTest, FitsOrSaysSo) {
  std::string whole = Write(FullHead());
  for (size_t size = 0; size < whole.size(); ++size) {
    std::vector<uint8_t> buffer(size);  // exact, for the sanitizer
    EXPECT_EQ(WriteResponseHead(FullHead(), buffer), 0u) << size;
  }
  std::vector<uint8_t> buffer(whole.size());
  EXPECT_EQ(WriteResponseHead(FullHead(), buffer), whole.size());
}

TEST(ResponseTest, NoLengthWhereNoneMayBe) {
  ResponseHead head;
  head.content_length = 0;
  for (int status : {100, 101, 204}) {
    head.status = status;
    EXPECT_EQ(Write(head).find("Content-Length"), std::string::npos) << status;
  }
  for (int status : {200, 304, 404}) {
    head.status = status;
    EXPECT_NE(Write(head).find("Content-Length: 0\r\n"), std::string::npos);
  }
}

TEST(ResponseTest, ConnectionFieldOnlyWhereNeeded) {
  EXPECT_EQ(ConnectionFor(1, true), ConnectionField::kNone);
  EXPECT_EQ(ConnectionFor(1, false), ConnectionField::kClose);
  EXPECT_EQ(ConnectionFor(0, true), ConnectionField::kKeepAlive);
  EXPECT_EQ(ConnectionFor(0, false), ConnectionField::kClose);
  ResponseHead head;
  head.connection = ConnectionField::kKeepAlive;
  EXPECT_NE(Write(head).find("\r\nConnection: keep-alive\r\n"),
            std::string::npos);
}

constexpr std::array kErrors = {400, 404, 405, 408, 413, 414,
                                431, 500, 501, 503, 505};

TEST(ErrorResponseTest, WholeAndConsistent) {
  for (int status : kErrors) {
    std::string text = Text(ErrorResponse(status));
    std::string start = "HTTP/1.1 " + std::to_string(status) + " " +
                        std::string(ReasonPhrase(status)) + "\r\n";
    EXPECT_EQ(text.substr(0, start.size()), start);
    size_t head_end = text.find("\r\n\r\n") + 4;
    std::string body = text.substr(head_end);
    EXPECT_EQ(body, std::to_string(status) + " " +
                        std::string(ReasonPhrase(status)) + "\n");
    EXPECT_NE(text.find("\r\nContent-Length: " + std::to_string(body.size()) +
                        "\r\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("\r\nConnection: close\r\n"), std::string::npos);
    bool has_allow = text.find("\r\nAllow: GET, HEAD\r\n") != std::string::npos;
    EXPECT_EQ(has_allow, status == 405);
    EXPECT_EQ(Text(ErrorResponseHead(status)), text.substr(0, head_end));
  }
}

TEST(ErrorResponseTest, UnknownBecomes500) {
  EXPECT_EQ(Text(ErrorResponse(0)), Text(ErrorResponse(500)));
  EXPECT_EQ(Text(ErrorResponse(200)), Text(ErrorResponse(500)));
}

TEST(ErrorResponseTest, WrittenWithDate) {
  HttpDate date = FormatHttpDate(0);
  std::array<uint8_t, 512> buffer;
  size_t size = WriteErrorResponse(404, date.view(), ConnectionField::kNone,
                                   false, buffer);
  EXPECT_EQ(Text(ByteView(buffer).first(size)),
            "HTTP/1.1 404 Not Found\r\nServer: corelane\r\n"
            "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 14\r\n\r\n404 Not Found\n");
  size_t head_size = WriteErrorResponse(404, date.view(),
                                        ConnectionField::kNone, true, buffer);
  EXPECT_EQ(head_size, size - 14);
  for (size_t room = 0; room < size; ++room) {
    std::vector<uint8_t> small(room);
    EXPECT_EQ(WriteErrorResponse(404, date.view(), ConnectionField::kNone,
                                 false, small),
              0u);
  }
}

TEST(ErrorResponseTest, Continue) {
  EXPECT_EQ(Text(ContinueResponse()), "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST(StatusTest, UnknownHasAnEmptyReason) {
  EXPECT_EQ(ReasonPhrase(299), "");
  EXPECT_EQ(ReasonPhrase(304), "Not Modified");
}

}  // namespace
}  // namespace corelane::http
