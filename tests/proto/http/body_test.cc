#include "proto/http/body.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "proto/base/rng.h"

namespace corelane::http {
namespace {

constexpr BodyFraming kChunked = {BodyFraming::Kind::kChunked, 0};

BodyFraming Length(uint64_t length) {
  return {BodyFraming::Kind::kLength, length};
}

ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Feeds pieces of at most `step` bytes; `consumed` is their sum.
BodyResult FeedInSteps(BodyReader& reader, std::string_view text, size_t step) {
  size_t total = 0;
  BodyResult result = reader.Feed({});
  while (result.state == BodyState::kNeedMore && total < text.size()) {
    std::string_view piece = text.substr(total, step);
    result = reader.Feed(AsBytes(piece));
    if (result.state == BodyState::kNeedMore) {
      EXPECT_EQ(result.consumed, piece.size());
    }
    total += result.consumed;
  }
  result.consumed = result.state == BodyState::kBad ? 0 : total;
  return result;
}

// The result of one feed, after every other cut was seen to give the same.
BodyResult Read(const BodyFraming& framing, std::string_view text,
                const BodyLimits& limits = {}) {
  BodyReader whole(framing, limits);
  BodyResult expected = whole.Feed(AsBytes(text));
  for (size_t step = 1; step <= text.size(); ++step) {
    BodyReader reader(framing, limits);
    BodyResult result = FeedInSteps(reader, text, step);
    EXPECT_EQ(result.state, expected.state) << text << " step " << step;
    EXPECT_EQ(result.consumed, expected.consumed) << text << " step " << step;
    EXPECT_EQ(result.http_status, expected.http_status) << text;
    EXPECT_EQ(reader.payload_bytes(), whole.payload_bytes()) << text;
  }
  EXPECT_EQ(expected.state == BodyState::kBad, expected.http_status != 0);
  return expected;
}

TEST(BodyTest, NoBodyIsDoneAtOnce) {
  BodyReader none;
  EXPECT_EQ(none.Feed(AsBytes("GET")).state, BodyState::kDone);
  EXPECT_EQ(none.Feed(AsBytes("GET")).consumed, 0u);
  EXPECT_EQ(Read(BodyFraming{}, "GET").state, BodyState::kDone);
  EXPECT_EQ(Read(Length(0), "GET").state, BodyState::kDone);
  EXPECT_EQ(Read(Length(0), "GET").consumed, 0u);
}

TEST(BodyTest, Length) {
  EXPECT_EQ(Read(Length(5), "helloGET").state, BodyState::kDone);
  EXPECT_EQ(Read(Length(5), "helloGET").consumed, 5u);
  EXPECT_EQ(Read(Length(5), "hell").state, BodyState::kNeedMore);
}

TEST(BodyTest, TooLongIsKnownBeforeTheFirstByte) {
  BodyLimits limits;
  limits.max_body = 10;
  BodyReader reader(Length(11), limits);
  BodyResult result = reader.Feed({});
  EXPECT_EQ(result.state, BodyState::kBad);
  EXPECT_EQ(result.http_status, 413);
  EXPECT_EQ(reader.Feed(AsBytes("abc")).http_status, 413);
  EXPECT_EQ(Read(Length(10), "0123456789", limits).state, BodyState::kDone);
}

TEST(BodyTest, ChunkedAccepted) {
  const std::string_view kBodies[] = {
      "0\r\n\r\n",
      "000\r\n\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
      "5\r\nhello\r\n0000000000000006\r\n world\r\n0\r\n\r\n",
      "a\r\n0123456789\r\nA\r\n0\r\n\r\n\r\n\r\na\r\n0\r\n\r\n",
      "5;a=b;c=\"d;e\"\r\nhello\r\n0;x\r\n\r\n",
      "5 \t;a\r\nhello\r\n0\r\n\r\n",
      "0\r\nA: b\r\nC:\r\nContent-Length: 9\r\n\r\n",
  };
  for (std::string_view body : kBodies) {
    std::string text = std::string(body) + "GET / HTTP/1.1\r\n";
    BodyResult result = Read(kChunked, text);
    EXPECT_EQ(result.state, BodyState::kDone) << body;
    EXPECT_EQ(result.consumed, body.size()) << body;
    // Every proper prefix is a body that is still on its way.
    for (size_t size = 0; size < body.size(); ++size) {
      BodyReader reader(kChunked, BodyLimits());
      EXPECT_EQ(reader.Feed(AsBytes(body.substr(0, size))).state,
                BodyState::kNeedMore)
          << body;
    }
  }
}

TEST(BodyTest, PayloadIsCounted) {
  BodyReader reader(kChunked, BodyLimits());
  reader.Feed(AsBytes("3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: u\r\n\r\n"));
  EXPECT_EQ(reader.payload_bytes(), 5u);
}

TEST(BodyTest, ChunkedRefused) {
  const std::string_view kBodies[] = {
      "\r\n",
      "g\r\n",
      "0x5\r\nhello\r\n",
      "-1\r\n",
      "+1\r\n",
      " 5\r\nhello\r\n",
      "5 \r\nhello\r\n",
      "5 5\r\nhello\r\n",
      "5\nhello\r\n",
      "5\r\rhello",
      "5\r\nhello\n",
      "5\r\nhelloo\r\n",
      "5\r\nhello\r\r",
      "5\r\nhello0\r\n",
      "00000000000000005\r\n",
      ";a\r\n",
      "5;a\nhello",
      "5;a\rb",
      "5;a\x01",
      "0\r\n\n",
      "0\r\n\rX",
      "0\r\n: x\r\n\r\n",
      "0\r\n x: y\r\n\r\n",
      "0\r\nA : b\r\n\r\n",
      "0\r\nA: b\n\r\n",
      "0\r\nA: b\rc",
      "0\r\nA: b\r\n c\r\n\r\n",
      "0\r\nA\r\n\r\n",
      "0\r\nA: \x7f\r\n\r\n",
  };
  for (std::string_view body : kBodies) {
    BodyResult result = Read(kChunked, body);
    EXPECT_EQ(result.state, BodyState::kBad) << body;
    EXPECT_EQ(result.http_status, 400) << body;
  }
}

TEST(BodyTest, ChunkSizeCannotOverflow) {
  EXPECT_EQ(Read(kChunked, "FFFFFFFFFFFFFFFF\r\n").http_status, 413);
  BodyLimits limits;
  limits.max_body = ~uint64_t{0};
  EXPECT_EQ(Read(kChunked, "FFFFFFFFFFFFFFFF\r\n", limits).state,
            BodyState::kNeedMore);
  EXPECT_EQ(Read(kChunked, "1FFFFFFFFFFFFFFFF\r\n", limits).http_status, 400);
  EXPECT_EQ(
      Read(kChunked, "1\r\na\r\nFFFFFFFFFFFFFFFF\r\n", limits).http_status,
      413);
}

TEST(BodyTest, ChunkedLimitIsOnTheSum) {
  BodyLimits limits;
  limits.max_body = 10;
  EXPECT_EQ(
      Read(kChunked, "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", limits).state,
      BodyState::kDone);
  // Refused at the size, before the data.
  EXPECT_EQ(Read(kChunked, "5\r\nhello\r\n6", limits).http_status, 413);
}

TEST(BodyTest, ExtensionsAreBounded) {
  BodyLimits limits;
  limits.max_extensions = 10;
  EXPECT_EQ(Read(kChunked, "1;345\r\nx\r\n1;789a\r\nx\r\n", limits).state,
            BodyState::kNeedMore);
  EXPECT_EQ(Read(kChunked, "1;345\r\nx\r\n1;789abc", limits).http_status, 400);
}

TEST(BodyTest, TrailersAreBounded) {
  BodyLimits limits;
  limits.max_trailers = 10;
  EXPECT_EQ(Read(kChunked, "0\r\nA:6\r\nB:6\r\n\r\n", limits).state,
            BodyState::kDone);
  EXPECT_EQ(Read(kChunked, "0\r\nA:6\r\nB:67\r\n\r\n", limits).http_status,
            431);
  EXPECT_EQ(Read(kChunked, "0\r\nabcdefghijk", limits).http_status, 431);
  limits.max_trailers = 0;
  EXPECT_EQ(Read(kChunked, "0\r\n\r\n", limits).state, BodyState::kDone);
}

TEST(BodyTest, RandomChunkedBodiesEndWhereTheyShould) {
  const uint64_t kSeed = 20240607;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Rng rng(kSeed);
  for (int round = 0; round < 300; ++round) {
    std::string body;
    uint64_t payload = 0;
    for (uint32_t chunk = rng.Below(5); chunk > 0; --chunk) {
      uint32_t size = rng.Between(1, 60);
      const char* digits = "0123456789aBcDeF";
      body += digits[size / 16];
      body += digits[size % 16];
      if (rng.Below(3) == 0) body += ";e=1";
      body += "\r\n" + std::string(size, static_cast<char>(rng.Below(256)));
      body += "\r\n";
      payload += size;
    }
    body += rng.Below(2) == 0 ? "0\r\n\r\n" : "0\r\nT: 1\r\n\r\n";
    std::string text = body + std::string(rng.Below(20), '0');
    BodyReader reader(kChunked, BodyLimits());
    BodyResult result = FeedInSteps(reader, text, rng.Between(1, 40));
    EXPECT_EQ(result.state, BodyState::kDone);
    EXPECT_EQ(result.consumed, body.size());
    EXPECT_EQ(reader.payload_bytes(), payload);
  }
}

}  // namespace
}  // namespace corelane::http
