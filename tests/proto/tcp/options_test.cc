#include "proto/tcp/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "proto/base/rng.h"
#include "proto/tcp/segment_spec.h"

namespace corelane::tcp {
namespace {

using Bytes = std::vector<uint8_t>;

// From memory of exactly the right size, so that a read past it is seen.
Options ParseBytes(const Bytes& bytes) {
  auto exact = std::make_unique<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  return ParseOptions({exact.get(), bytes.size()});
}

TEST(Options, WhatLinuxSends) {
  const Options o = ParseBytes(
      {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7});
  EXPECT_EQ(o.mss, 1460);
  EXPECT_TRUE(o.sack_permitted);
  EXPECT_TRUE(o.has_timestamps);
  EXPECT_EQ(o.ts_value, 0x01020304u);
  EXPECT_EQ(o.ts_echo, 0x05060708u);
  EXPECT_TRUE(o.has_window_scale);
  EXPECT_EQ(o.window_scale, 7);
}

TEST(Options, SackBlocks) {
  const Options o = ParseBytes({1, 1, 5,    18,   0,    0,    0, 1, 0, 0,
                                0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 5});
  ASSERT_EQ(o.sack_count, 2);
  EXPECT_EQ(o.sack[0].start, SeqNum(1));
  EXPECT_EQ(o.sack[0].end, SeqNum(2));
  EXPECT_EQ(o.sack[1].start, SeqNum(0xffffffff));
  EXPECT_EQ(o.sack[1].end, SeqNum(5));
}

struct Hostile {
  const char* name;
  Bytes bytes;
  uint16_t mss;  // what has to come of it
  bool scaled = false;
};

Bytes Nops(size_t n) { return Bytes(n, 1); }

const Hostile kHostile[] = {
    {"nothing", {}, 0},
    {"kind without length", {2}, 0},
    {"length 0", {2, 0, 5, 180}, 0},
    {"length 1", {2, 1, 5, 180}, 0},
    {"unknown kind with length 0", {0xfd, 0}, 0},
    {"length 0 after an MSS", {2, 4, 5, 180, 3, 0, 7, 0}, 1460},
    {"past the end", {2, 5, 5, 180}, 0},
    {"far past the end", {254, 255, 5, 180}, 0},
    {"MSS too short", {2, 3, 5, 1}, 0},
    {"MSS too long, then a scale", {2, 5, 5, 180, 0, 3, 3, 2}, 0, true},
    {"MSS 0", {2, 4, 0, 0}, 0},
    {"two of them: the last", {2, 4, 5, 180, 2, 4, 2, 0}, 512},
    {"end, then garbage", {2, 4, 5, 180, 0, 3, 3, 2}, 1460},
    {"40 NOPs", Nops(40), 0},
    {"scale without value", {3, 2, 2, 4, 5, 180}, 1460},
    {"SACK of 9 bytes", {5, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1}, 0},
    {"SACK of nothing", {5, 2, 2, 4, 5, 180}, 1460},
    {"timestamps too short", {8, 9, 1, 2, 3, 4, 5, 6, 7, 1}, 0},
    {"MD5 (kind 19)", {19, 4, 0, 0, 2, 4, 5, 180}, 1460},
    {"TCP-AO (kind 29)", {29, 4, 0, 0, 2, 4, 5, 180}, 1460},
    {"only kind at the end", {2, 4, 5, 180, 1, 1, 1, 3}, 1460},
};

TEST(Options, HostileOnesEndAndAreAsIfAbsent) {
  for (const Hostile& hostile : kHostile) {
    SCOPED_TRACE(hostile.name);
    const Options o = ParseBytes(hostile.bytes);
    EXPECT_EQ(o.mss, hostile.mss);
    EXPECT_EQ(o.has_window_scale, hostile.scaled);
    EXPECT_EQ(o.sack_count, 0);
    EXPECT_FALSE(o.has_timestamps);
  }
}

TEST(Options, ScaleIsCapped) {
  EXPECT_EQ(ParseBytes({3, 3, 14}).window_scale, 14);
  EXPECT_EQ(ParseBytes({3, 3, 15}).window_scale, 14);
  EXPECT_EQ(ParseBytes({3, 3, 255}).window_scale, 14);
}

TEST(Options, EveryTruncationOfAValidList) {
  const Bytes all = {2, 4, 0x05, 0xb4, 4, 2, 8,  10, 1, 2, 3, 4, 5, 6, 7,
                     8, 1, 3,    3,    7, 5, 10, 0,  0, 0, 1, 0, 0, 0, 9};
  for (size_t n = 0; n <= all.size(); ++n) {
    const Options o = ParseBytes(Bytes(all.begin(), all.begin() + n));
    EXPECT_EQ(o.mss, n >= 4 ? 1460 : 0);
    EXPECT_EQ(o.has_window_scale, n >= 20);
    EXPECT_EQ(o.sack_count, n == all.size() ? 1 : 0);
  }
}

TEST(Options, RandomBytesStayInBounds) {
  constexpr uint64_t kSeed = 20250101;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  for (int i = 0; i < 100'000; ++i) {
    Bytes bytes(rng.Below(41));
    // Mostly small numbers: kinds and lengths that mean something.
    for (uint8_t& b : bytes) {
      b = static_cast<uint8_t>(rng.Below(4) == 0 ? rng.Below(256)
                                                 : rng.Below(12));
    }
    const Options o = ParseBytes(bytes);
    ASSERT_LE(o.window_scale, kMaxWindowScale);
    ASSERT_LE(o.sack_count, o.sack.size());
  }
}

TEST(Options, WhatIsWrittenIsRead) {
  for (int scale = -1; scale <= 14; ++scale) {
    std::array<uint8_t, kMaxOptionsLength> bytes{};
    const size_t length = WriteSynOptions(bytes.data(), {1460, scale});
    EXPECT_EQ(length % 4, 0u);
    const Options o = ParseOptions({bytes.data(), length});
    EXPECT_EQ(o.mss, 1460);
    EXPECT_EQ(o.has_window_scale, scale >= 0);
    EXPECT_EQ(o.window_scale, std::max(scale, 0));
  }
}

Bytes Written(const SynOptions& options) {
  Bytes bytes(kMaxOptionsLength + 1, 0xee);
  const size_t length = WriteSynOptions(bytes.data(), options);
  EXPECT_LE(length, kMaxOptionsLength);
  bytes.resize(length);
  return bytes;
}

// What Linux writes, byte for byte.
TEST(Options, TheOrderOnTheWire) {
  SynOptions o;
  o.mss = 1460;
  EXPECT_EQ(Written(o), Bytes({2, 4, 5, 180}));
  o.window_scale = 7;
  EXPECT_EQ(Written(o), Bytes({2, 4, 5, 180, 1, 3, 3, 7}));
  o.sack_permitted = true;
  EXPECT_EQ(Written(o), Bytes({2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 7}));
  o.has_timestamps = true;
  o.ts_value = 0x01020304;
  o.ts_echo = 0x05060708;
  EXPECT_EQ(Written(o), Bytes({2, 4, 5, 180, 4, 2, 8, 10, 1, 2,
                               3, 4, 5, 6,   7, 8, 1, 3,  3, 7}));
  o.sack_permitted = false;
  EXPECT_EQ(Written(o), Bytes({2, 4, 5, 180, 1, 1, 8, 10, 1, 2,
                               3, 4, 5, 6,   7, 8, 1, 3,  3, 7}));
}

TEST(Options, EveryCombinationIsReadBack) {
  for (int i = 0; i < 8; ++i) {
    SCOPED_TRACE(i);
    SynOptions o;
    o.mss = 1234;
    o.window_scale = (i & 1) != 0 ? 14 : -1;
    o.sack_permitted = (i & 2) != 0;
    o.has_timestamps = (i & 4) != 0;
    o.ts_value = 0xfffffffe;
    o.ts_echo = 0x80000001;
    const Bytes bytes = Written(o);
    EXPECT_EQ(bytes.size() % 4, 0u);
    const Options got = ParseBytes(bytes);
    EXPECT_EQ(got.mss, 1234);
    EXPECT_EQ(got.has_window_scale, o.window_scale >= 0);
    EXPECT_EQ(got.sack_permitted, o.sack_permitted);
    EXPECT_EQ(got.has_timestamps, o.has_timestamps);
    EXPECT_EQ(got.ts_value, o.has_timestamps ? o.ts_value : 0);
    EXPECT_EQ(got.ts_echo, o.has_timestamps ? o.ts_echo : 0);
  }
}

// RFC 9293 section 3.10.7.1.
TEST(ResetFor, AnswersWithTheNumbersThatThePeerAccepts) {
  Segment segment;
  segment.seq = SeqNum(0xfffffff0);
  segment.ack = SeqNum(77);
  segment.payload_length = 0x20;
  segment.offset_and_flags = 0x5000 | kAck;
  EXPECT_EQ(ResetFor(segment).seq, SeqNum(77));
  EXPECT_EQ(ResetFor(segment).flags, kRst);
  segment.offset_and_flags = 0x5000 | kSyn | kFin;
  EXPECT_EQ(ResetFor(segment).seq, SeqNum(0));
  EXPECT_EQ(ResetFor(segment).ack, SeqNum(0x12));
  EXPECT_EQ(ResetFor(segment).flags, kRst | kAck);
}

}  // namespace
}  // namespace corelane::tcp
