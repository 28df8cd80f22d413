#include "dataplane/load/frame_tape.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"

namespace corelane::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes BytesIn(const FrameTape::Frame& frame) {
  return {frame.data, frame.data + frame.length};
}

TEST(FrameTapeTest, KeepsFramesAndTimesFromTheFirst) {
  FrameTape tape;
  EXPECT_TRUE(tape.empty());
  EXPECT_EQ(tape.length(), 0ns);
  tape.Append(5s, Bytes(60, 1));
  tape.Append(6s, Bytes(1514, 2));
  ASSERT_EQ(tape.size(), 2u);
  EXPECT_EQ(BytesIn(tape[0]), Bytes(60, 1));
  EXPECT_EQ(BytesIn(tape[1]), Bytes(1514, 2));
  EXPECT_EQ(tape[0].at, 0s);
  EXPECT_EQ(tape[1].at, 1s);
  EXPECT_EQ(tape.length(), 1s);
  EXPECT_EQ(tape.bytes(), 1574u);
  EXPECT_EQ(tape.padded(), 0u);
}

TEST(FrameTapeTest, ShortFramesArePadded) {
  FrameTape tape;
  tape.Append(0s, Bytes(42, 7));
  Bytes padded(60, 7);
  std::fill(padded.begin() + 42, padded.end(), uint8_t{0});
  EXPECT_EQ(BytesIn(tape[0]), padded);
  EXPECT_EQ(tape.padded(), 1u);
}

TEST(FrameTapeTest, TimeDoesNotGoBack) {
  FrameTape tape;
  for (const Duration at : {10ms, 30ms, 20ms, 5ms, 40ms}) {
    tape.Append(at, Bytes(60));
  }
  EXPECT_EQ(tape[2].at, 20ms);
  EXPECT_EQ(tape[3].at, 20ms);
  EXPECT_EQ(tape[4].at, 30ms);
  EXPECT_EQ(tape.backwards(), 2u);
  EXPECT_EQ(tape.CountBefore(0ms), 0u);
  EXPECT_EQ(tape.CountBefore(1ns), 1u);
  EXPECT_EQ(tape.CountBefore(20ms), 1u);
  EXPECT_EQ(tape.CountBefore(30ms), 4u);
  EXPECT_EQ(tape.CountBefore(1h), 5u);
}

TEST(FrameTapeTest, FramesStayWhereTheyAre) {
  FrameTape tape;
  tape.Append(0s, Bytes(9000, 1));
  const uint8_t* first = tape[0].data;
  for (int i = 0; i < 1000; ++i) tape.Append(0s, Bytes(9000, 2));
  EXPECT_EQ(tape[0].data, first);
  EXPECT_EQ(BytesIn(tape[0]), Bytes(9000, 1));
  EXPECT_EQ(BytesIn(tape[1000]), Bytes(9000, 2));
  EXPECT_GE(tape.memory(), tape.bytes());
  EXPECT_LT(tape.memory(), tape.bytes() + (2u << 20));
}

}  // namespace
}  // namespace corelane::dataplane
