#include "proto/http/request.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace corelane::http {

std::ostream& operator<<(std::ostream& os, const ParseResult& result) {
  return os << "status " << static_cast<int>(result.status) << " consumed "
            << result.consumed << " http " << result.http_status;
}

namespace {

using Kind = BodyFraming::Kind;

RequestHead ParseGood(std::string_view bytes) {
  RequestHead head;
  ParseResult result = ParseRequestHead(bytes, HeadLimits(), head);
  EXPECT_EQ(result.status, ParseStatus::kComplete) << bytes << result;
  EXPECT_EQ(result.consumed, bytes.size()) << bytes;
  return head;
}

int Refusal(std::string_view bytes, const HeadLimits& limits = {}) {
  RequestHead head;
  ParseResult result = ParseRequestHead(bytes, limits, head);
  if (result.status == ParseStatus::kNeedMore) return -1;
  EXPECT_EQ(result.status == ParseStatus::kBad, result.http_status != 0);
  return result.http_status;
}

// One request line and a Host, with `fields` between.
std::string With(std::string_view fields, std::string_view line = "GET /") {
  std::string text(line);
  text += " HTTP/1.1\r\nHost: a\r\n";
  text += fields;
  text += "\r\n";
  return text;
}

TEST(RequestTest, CommonGet) {
  RequestHead head = ParseGood(
      "GET /index.html?x=1 HTTP/1.1\r\nHost: example.org:8080\r\n"
      "User-Agent: wrk\r\nIf-None-Match:  \"a\", \"b\" \t\r\n\r\n");
  EXPECT_EQ(head.method, Method::kGet);
  EXPECT_EQ(head.target, "/index.html?x=1");
  EXPECT_EQ(head.path, "/index.html");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.host, "example.org:8080");
  EXPECT_EQ(head.if_none_match, "\"a\", \"b\"");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expect_continue);
  EXPECT_EQ(head.body.kind, Kind::kNone);
}

TEST(RequestTest, ConsumesOnlyTheHead) {
  std::string bytes = With("") + "GET /next";
  RequestHead head;
  ParseResult result = ParseRequestHead(bytes, HeadLimits(), head);
  EXPECT_EQ(result.status, ParseStatus::kComplete);
  EXPECT_EQ(result.consumed, With("").size());
}

TEST(RequestTest, OutputIsUntouchedUnlessComplete) {
  RequestHead head;
  head.path = "before";
  ParseRequestHead("GET /x HTTP/1.1\r\n", HeadLimits(), head);
  ParseRequestHead("GET /x HTTP/1.1\r\n\r\n", HeadLimits(), head);
  EXPECT_EQ(head.path, "before");
}

TEST(RequestTest, Methods) {
  struct Case {
    const char* name;
    Method method;
  };
  const Case kCases[] = {
      {"GET", Method::kGet},       {"HEAD", Method::kHead},
      {"POST", Method::kPost},     {"PUT", Method::kPut},
      {"DELETE", Method::kDelete}, {"OPTIONS", Method::kOptions},
      {"TRACE", Method::kTrace},   {"PATCH", Method::kPatch},
      {"get", Method::kOther},     {"PROPFIND", Method::kOther},
      {"M-SEARCH", Method::kOther}};
  for (const Case& c : kCases) {
    std::string line = std::string(c.name) + " /";
    EXPECT_EQ(ParseGood(With("", line)).method, c.method) << c.name;
  }
}

TEST(RequestTest, TargetForms) {
  struct Case {
    const char* line;
    const char* path;
    const char* host;
  };
  const Case kCases[] = {
      {"GET /", "/", "a"},
      {"GET /?q", "/", "a"},
      {"GET /a?b?c", "/a", "a"},
      {"GET //a/../b", "//a/../b", "a"},
      {"GET /a|b{c}", "/a|b{c}", "a"},
      {"GET http://h/p?q", "/p", "h"},
      {"GET HTTPS://h:1/p", "/p", "h:1"},
      {"GET http://h", "/", "h"},
      {"GET http://h?q/r", "/", "h"},
      {"GET http://[::1]:80/x", "/x", "[::1]:80"},
      {"OPTIONS *", "*", "a"},
      {"CONNECT h:443", "", "h:443"},
      {"CONNECT [::1]:443", "", "[::1]:443"},
  };
  for (const Case& c : kCases) {
    std::string bytes = With("", c.line);
    RequestHead head = ParseGood(bytes);
    EXPECT_EQ(head.path, c.path) << c.line;
    EXPECT_EQ(head.host, c.host) << c.line;
  }
}

TEST(RequestTest, BadTargets) {
  const char* const kLines[] = {
      "GET a",          "GET *",           "GET ftp://h/",    "GET http:///p",
      "GET http://",    "GET http://:80/", "GET http://u@h/", "GET http:h",
      "GET http://h:x", "CONNECT /",       "CONNECT h",       "CONNECT h:",
      "CONNECT :1",     "CONNECT h:1/p",   "GET /a#b",        "GET /\xc3\xa9",
      "GET  /",         " GET /",          "GET\t/",          "GET /a\tb",
      "GE(T /",         "GET http://[1/",  "GET http://h[1]/"};
  for (const char* line : kLines) {
    EXPECT_EQ(Refusal(With("", line)), 400) << line;
  }
}

TEST(RequestTest, Versions) {
  EXPECT_EQ(ParseGood("GET / HTTP/1.0\r\n\r\n").minor_version, 0);
  EXPECT_EQ(ParseGood("GET / HTTP/1.3\r\nHost:\r\n\r\n").minor_version, 3);
  EXPECT_EQ(Refusal("GET / HTTP/2.0\r\n"), 505);
  EXPECT_EQ(Refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(Refusal("GET / HTTP/0.9\r\n"), 505);
  const char* const kBad[] = {
      "GET /\r\n",           "GET / \r\n",          "GET / http/1.1\r\n",
      "GET / HTTP/1\r\n",    "GET / HTTP/11\r\n",   "GET / HTTP/1.10\r\n",
      "GET / HTTP/1.1 \r\n", "GET / HTTP/1,1\r\n",  "GET / HTTP/1.1\n",
      "GET / HTTP/1.1\rX",   "GET /  HTTP/1.1\r\n", "GET / ICY/1.1\r\n"};
  for (const char* bytes : kBad) EXPECT_EQ(Refusal(bytes), 400) << bytes;
}

TEST(RequestTest, KeepAlive) {
  struct Case {
    const char* fields;
    bool in_10;
    bool in_11;
  };
  const Case kCases[] = {
      {"", false, true},
      {"Connection: close\r\n", false, false},
      {"Connection: keep-alive\r\n", true, true},
      {"cOnnEction:Keep-ALIVE\r\n", true, true},
      {"Connection: CLOSE\r\n", false, false},
      {"Connection: upgrade , close\r\n", false, false},
      {"Connection: ,, keep-alive,\r\n", true, true},
      {"Connection: keep-alive, close\r\n", false, false},
      {"Connection: keep-alive\r\nConnection: close\r\n", false, false},
      {"Connection: closed\r\n", false, true},
      {"Connection: keep-alive close\r\n", false, true},
      {"Connection:\r\n", false, true},
      {"Connections: close\r\n", false, true},
  };
  for (const Case& c : kCases) {
    std::string fields(c.fields);
    EXPECT_EQ(ParseGood(With(fields)).keep_alive, c.in_11) << fields;
    std::string old = "GET / HTTP/1.0\r\n" + fields + "\r\n";
    EXPECT_EQ(ParseGood(old).keep_alive, c.in_10) << fields;
  }
}

TEST(RequestTest, Expectation) {
  const std::string kExpect = "Expect: 100-Continue\r\n";
  const std::string kLength = "Content-Length: 1\r\n";
  EXPECT_TRUE(ParseGood(With(kExpect + kLength)).expect_continue);
  EXPECT_FALSE(ParseGood(With(kExpect)).expect_continue);
  EXPECT_FALSE(
      ParseGood(With(kExpect + "Content-Length: 0\r\n")).expect_continue);
  EXPECT_FALSE(ParseGood(With("Expect: 200\r\n" + kLength)).expect_continue);
  EXPECT_FALSE(ParseGood("PUT / HTTP/1.0\r\n" + kExpect + kLength + "\r\n")
                   .expect_continue);
}

TEST(RequestTest, BodyFramingAccepted) {
  RequestHead head = ParseGood(With("Content-Length: 0042 \r\n", "POST /"));
  EXPECT_EQ(head.body.kind, Kind::kLength);
  EXPECT_EQ(head.body.content_length, 42u);
  head = ParseGood(With("content-length:18446744073709551615\r\n"));
  EXPECT_EQ(head.body.content_length, ~uint64_t{0});
  head = ParseGood(With("Transfer-Encoding: Chunked\r\n", "POST /"));
  EXPECT_EQ(head.body.kind, Kind::kChunked);
  EXPECT_EQ(head.body.content_length, 0u);
}

TEST(RequestTest, BodyFramingRefused) {
  struct Case {
    const char* fields;
    int status;
  };
  const Case kCases[] = {
      {"Content-Length:\r\n", 400},
      {"Content-Length: -1\r\n", 400},
      {"Content-Length: +1\r\n", 400},
      {"Content-Length: 0x1\r\n", 400},
      {"Content-Length: 1 2\r\n", 400},
      {"Content-Length: 1, 1\r\n", 400},
      {"Content-Length: 18446744073709551616\r\n", 400},
      {"Content-Length: 99999999999999999999999\r\n", 400},
      {"Content-Length: 1\r\nContent-Length: 2\r\n", 400},
      {"Content-Length: 1\r\nContent-Length: 1\r\n", 400},
      {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400},
      {"Transfer-Encoding: gzip\r\n", 501},
      {"Transfer-Encoding: identity\r\n", 501},
      {"Transfer-Encoding: xchunked\r\n", 501},
      {"Transfer-Encoding: chunked;q=1\r\n", 501},
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Transfer-Encoding: chunked, gzip\r\n", 400},
      {"Transfer-Encoding: chunked, chunked\r\n", 400},
      {"Transfer-Encoding: chunked,\r\n", 400},
      {"Transfer-Encoding: ,chunked\r\n", 400},
      {"Transfer-Encoding: ,\r\n", 400},
      {"Transfer-Encoding:\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", 400},
      {"Transfer-Encoding : chunked\r\n", 400},
      {"Transfer-Encoding\x0b: chunked\r\n", 400},
      {"Transfer-Encoding: \x0b"
       "chunked\r\n",
       400},
      {" Transfer-Encoding: chunked\r\n", 400},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(Refusal(With(c.fields)), c.status) << c.fields;
  }
  EXPECT_EQ(Refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            400);
}

TEST(RequestTest, Host) {
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nHosts: a\r\n\r\n"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  const char* const kGood[] = {"", "a", "a:80", "a:", "10.0.0.1:1", "[::1]:8"};
  for (std::string host : kGood) {
    EXPECT_EQ(ParseGood("GET / HTTP/1.1\r\nHost:" + host + "\r\n\r\n").host,
              host);
  }
  const char* const kBad[] = {"a b",  "a/b",   "u@a",  "a:x", "a:1:2",
                              "[::1", "[]",    "a[1]", "a]",  "[a]b",
                              "a, b", "a\x80", "a?",   "a#",  "[[a]]"};
  for (std::string host : kBad) {
    EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nHost:" + host + "\r\n\r\n"), 400)
        << host;
  }
}

TEST(RequestTest, MalformedFields) {
  const char* const kFields[] = {
      ": x\r\n",        "X : y\r\n",    "X\t: y\r\n",   "X\r\n",
      "X: a\r\n b\r\n", " X: y\r\n",    "\tX: y\r\n",   "X: a\nY: b\r\n",
      "X: a\rb\r\n",    "X: a\x01\r\n", "X: a\x7f\r\n", "X: a\r\r\n",
      "X(: a\r\n",      "X\x80: a\r\n", "X:a\n\r\n",    "\n"};
  for (const char* fields : kFields) {
    EXPECT_EQ(Refusal(With(fields)), 400) << fields;
  }
  EXPECT_EQ(Refusal(With(std::string("X: a\0b\r\n", 8))), 400);
  EXPECT_EQ(Refusal(With(std::string("X\0: a\r\n", 7))), 400);
  ParseGood(With("X: a\tb \x80\xff\r\nY:\r\nZ: \t \r\n!#$%&'*+-.^_`|~9:x\r\n"));
}

TEST(RequestTest, EveryControlByteIsRefusedInEveryPlace) {
  const std::string kGood = With("Abc: 0123456789abcdef0123456789\r\n");
  for (int c = 0; c < 0x80; ++c) {
    if ((c >= 0x20 && c != 0x7f) || c == '\t') continue;
    for (size_t at = 0; at < kGood.size(); ++at) {
      if (kGood[at] == '\r' || kGood[at] == '\n') continue;
      // An empty line may come before the request, but a lone CR may not.
      std::string bad = kGood;
      bad[at] = static_cast<char>(c);
      EXPECT_EQ(Refusal(bad), 400) << "byte " << c << " at " << at;
    }
  }
}

TEST(RequestTest, LeadingEmptyLines) {
  std::string bytes = std::string("\r\n\r\n").append(With(""));
  RequestHead head = ParseGood(bytes);
  EXPECT_EQ(head.target, "/");
  EXPECT_EQ(Refusal(std::string("\r\n\r\n\r\n\r\n\r\n").append(With(""))), 400);
  EXPECT_EQ(Refusal(std::string("\n").append(With(""))), 400);
  EXPECT_EQ(Refusal("\rGET"), 400);
}

TEST(RequestTest, ErrorsShowBeforeTheHeadIsComplete) {
  EXPECT_EQ(Refusal("\x16\x03\x01"), 400);  // a TLS client hello
  EXPECT_EQ(Refusal("GET / HTTP/1.1\n"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nA: b\n"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nA "), 400);
  EXPECT_EQ(Refusal("GET / HTTP/2.0"), 505);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nA: b\r\n "), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nContent-Length: x\r\n"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nTransfer-Encoding: br\r\n"), 501);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n"), 400);
  EXPECT_EQ(Refusal(""), -1);
}

TEST(RequestTest, Limits) {
  HeadLimits limits;
  limits.max_head = 200;
  limits.max_target = 50;
  limits.max_method = 8;
  limits.max_fields = 3;
  EXPECT_EQ(Refusal("METHODXY / HTTP/1.0\r\n\r\n", limits), 0);
  EXPECT_EQ(Refusal("METHODXYZ", limits), 501);
  EXPECT_EQ(Refusal("METHODXY", limits), -1);
  EXPECT_EQ(Refusal("METHODXY(", limits), 400);
  std::string target = "/" + std::string(49, 'a');
  EXPECT_EQ(Refusal("GET " + target + " HTTP/1.0\r\n\r\n", limits), 0);
  EXPECT_EQ(Refusal("GET " + target, limits), -1);
  EXPECT_EQ(Refusal("GET " + target + "a", limits), 414);
  EXPECT_EQ(Refusal("GET / HTTP/1.0\r\nA:\r\nB:\r\nC:\r\n\r\n", limits), 0);
  EXPECT_EQ(Refusal("GET / HTTP/1.0\r\nA:\r\nB:\r\nC:\r\nD", limits), 431);
}

TEST(RequestTest, HeadLimitIsExact) {
  const std::string kStart = "GET / HTTP/1.0\r\nA: ";
  HeadLimits limits;
  limits.max_head = 100;
  std::string fits = kStart + std::string(100 - kStart.size() - 4, 'x');
  EXPECT_EQ(Refusal(fits + "\r\n\r\n", limits), 0);
  EXPECT_EQ(Refusal(fits + "\r\n\r\nbody", limits), 0);
  EXPECT_EQ(Refusal(fits + "x\r\n\r\n", limits), 431);
  // Refused while incomplete, at the first byte that leaves no room for more.
  EXPECT_EQ(Refusal(fits + "xxx", limits), -1);
  EXPECT_EQ(Refusal(fits + "xxxx", limits), 431);
  EXPECT_EQ(Refusal(fits + "xxxxxxxxxx\n", limits), 431);
  limits.max_target = 1000;
  EXPECT_EQ(Refusal("GET /" + std::string(95, 'a'), limits), 414);
}

// --- Heads in pieces -------------------------------------------------------

std::vector<std::string> SplitCorpus() {
  return {
      With("User-Agent: Mozilla/5.0 (X11)\r\nAccept: */*\r\n"
           "If-None-Match: \"abc\"\r\nConnection: keep-alive\r\n"),
      std::string("\r\n").append(
          With("Content-Length: 17\r\nExpect: 100-continue \r\n")),
      With("Transfer-Encoding: chunked\r\n", "POST http://h:1/p?q"),
      With("", "CONNECT h:443"),
      "GET / HTTP/1.0\r\nA:\r\nB: \t\r\nC: \t x \t \r\n\r\n",
      With("X: a\r\n b\r\n"),
      With("X: abcdefghijklmnop\x01qrstuvwxyz\r\n"),
      "GET / HTTP/2.0\r\n\r\n",
      With("Content-Length: 1\r\nContent-Length: 1\r\n"),
      "GET / HTTP/1.1\r\nA: b\r\n\r\n",
      "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nA\n\r\n",
      "GET / HTTP/1.1\r\nA: b\r\nHost: x\nC: d\r\n\r\n",
      "GET /" + std::string(8100, 'a') + " HTTP/1.0\r\n\r\n",
      "GET / HTTP/1.0\r\nA: " + std::string(9000, 'a') + "\r\n\r\n",
      "\r\n\r\n\r\n\r\n\r\n\r\n",
  };
}

bool SameHead(const RequestHead& a, const RequestHead& b) {
  return a.method == b.method && a.minor_version == b.minor_version &&
         a.keep_alive == b.keep_alive &&
         a.expect_continue == b.expect_continue && a.body.kind == b.body.kind &&
         a.body.content_length == b.body.content_length &&
         a.target == b.target && a.path == b.path && a.host == b.host &&
         a.if_none_match == b.if_none_match;
}

// Feeds prefixes that grow by `step` and start at `first`, each in memory of
// its own that ends with the prefix, so that the sanitizer sees any read past
// it and stale pointers into the last one.
void ExpectSameInPieces(const std::string& bytes, size_t first, size_t step) {
  RequestHead whole;
  ParseResult expected = ParseRequestHead(bytes, HeadLimits(), whole);
  HeadProgress progress;
  for (size_t size = first;; size += step) {
    size = std::min(size, bytes.size());
    std::unique_ptr<char[]> copy(new char[size]);
    bytes.copy(copy.get(), size);
    std::string_view view(copy.get(), size);
    RequestHead head;
    ParseResult result = ResumeRequestHead(view, HeadLimits(), progress, head);
    RequestHead fresh_head;
    ParseResult fresh = ParseRequestHead(view, HeadLimits(), fresh_head);
    ASSERT_EQ(result.status, fresh.status) << bytes << " at " << size;
    ASSERT_EQ(result.http_status, fresh.http_status) << bytes;
    if (result.status == ParseStatus::kNeedMore && size < bytes.size()) {
      // Nothing seen is left to be looked at again.
      ASSERT_EQ(progress.examined, size) << bytes;
      continue;
    }
    ASSERT_EQ(result.status, expected.status) << bytes << " at " << size;
    ASSERT_EQ(result.http_status, expected.http_status) << bytes;
    ASSERT_EQ(result.consumed, expected.consumed) << bytes;
    if (result.status == ParseStatus::kComplete) {
      ASSERT_TRUE(SameHead(head, whole)) << bytes;
    }
    return;
  }
}

TEST(RequestSplitTest, OneByteAtATime) {
  for (const std::string& bytes : SplitCorpus()) {
    ExpectSameInPieces(bytes, 0, 1);
  }
}

TEST(RequestSplitTest, SplitAtEveryByte) {
  for (const std::string& bytes : SplitCorpus()) {
    size_t stride = bytes.size() > 1000 ? 37 : 1;
    for (size_t at = 0; at <= bytes.size(); at += stride) {
      ExpectSameInPieces(bytes, at, bytes.size());
    }
  }
}

TEST(RequestSplitTest, ByteByByteIsLinear) {
  // Quadratic work would be some 10^12 bytes read: no test run would end.
  HeadLimits limits;
  limits.max_head = 4 << 20;
  std::string bytes = With("A: " + std::string(2 << 20, 'x') + "\r\n");
  HeadProgress progress;
  RequestHead head;
  std::string_view view(bytes);
  for (size_t size = 1; size < view.size(); ++size) {
    ASSERT_EQ(
        ResumeRequestHead(view.substr(0, size), limits, progress, head).status,
        ParseStatus::kNeedMore);
  }
  EXPECT_EQ(ResumeRequestHead(view, limits, progress, head).consumed,
            view.size());
}

TEST(RequestSplitTest, AShorterViewThanBeforeIsHarmless) {
  std::string bytes = With("");
  HeadProgress progress;
  RequestHead head;
  std::string_view view(bytes);
  ResumeRequestHead(view.substr(0, 20), HeadLimits(), progress, head);
  EXPECT_EQ(
      ResumeRequestHead(view.substr(0, 5), HeadLimits(), progress, head).status,
      ParseStatus::kNeedMore);
  EXPECT_EQ(ResumeRequestHead(view, HeadLimits(), progress, head).status,
            ParseStatus::kComplete);
}

}  // namespace
}  // namespace corelane::http
