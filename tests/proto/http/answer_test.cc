#include "proto/http/answer.h"

#include "gtest/gtest.h"

namespace corelane::http {
namespace {

using State = AnswerReader::State;

ByteView Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

struct Case {
  const char* text;
  State state;
  int status;
  uint64_t body;
  size_t taken;  // 0: all
};

constexpr Case kCases[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", State::kComplete, 200,
     5, 0},
    {"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", State::kComplete, 200, 0,
     0},
    {"HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\nxHTTP", State::kComplete, 404,
     1, 37},
    {"HTTP/1.1 204 No Content\r\n\r\n", State::kComplete, 204, 0, 0},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
     "ab",
     State::kComplete, 200, 2, 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "a;x=y\r\n0123456789\r\n1\r\nz\r\n0\r\nT: 1\r\n\r\n",
     State::kComplete, 200, 11, 0},
    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", State::kReading, 200, 13, 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     State::kBad, 0, 0, 1},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", State::kBad, 0, 0, 1},
    {"HTTP/2 200\r\n\r\n", State::kBad, 0, 0, 1},
    {"ICY 200 OK\r\n\r\n", State::kBad, 0, 0, 1},
    {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", State::kBad, 0, 0, 1},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
     State::kBad, 200, 0, 1},
};

TEST(AnswerReaderTest, ReadsInOnePieceAndByteByByte) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    const std::string_view text(c.text);
    AnswerReader whole;
    const size_t taken = whole.Feed(Bytes(text));
    EXPECT_EQ(whole.state(), c.state);
    EXPECT_EQ(whole.status(), c.status);
    EXPECT_EQ(whole.body(), c.body);
    if (c.taken != 1) {
      EXPECT_EQ(taken, c.taken == 0 ? text.size() : c.taken);
    }
    AnswerReader slow;
    size_t slowly = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      slowly += slow.Feed(Bytes(text.substr(i, 1)));
    }
    EXPECT_EQ(slow.state(), c.state);
    EXPECT_EQ(slow.status(), c.status);
    EXPECT_EQ(slow.body(), c.body);
    if (c.taken != 1) {
      EXPECT_EQ(slowly, taken);
    }
  }
}

TEST(AnswerReaderTest, TheEndOfTheConnectionEndsABodyWithoutLength) {
  AnswerReader reader;
  reader.Feed(Bytes("HTTP/1.0 200 OK\r\n\r\nabc"));
  EXPECT_TRUE(reader.will_close());
  reader.End();
  EXPECT_EQ(reader.state(), State::kComplete);
  EXPECT_EQ(reader.body(), 3u);
  reader.Reset();
  reader.Feed(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"));
  EXPECT_FALSE(reader.will_close());
  reader.End();
  EXPECT_EQ(reader.state(), State::kBad);
}

TEST(AnswerReaderTest, AHeadWithoutEndIsBad) {
  AnswerReader reader;
  const std::string line = "X: " + std::string(1000, 'a') + "\r\n";
  reader.Feed(Bytes("HTTP/1.1 200 OK\r\n"));
  for (int i = 0; i < 20; ++i) reader.Feed(Bytes(line));
  EXPECT_EQ(reader.state(), State::kBad);
}

}  // namespace
}  // namespace corelane::http
