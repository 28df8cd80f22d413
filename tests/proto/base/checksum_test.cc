#include "proto/base/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "proto/base/rng.h"

namespace corelane {
namespace {

// RFC 1071 section 1, as slowly and plainly as it is written there.
uint16_t Reference(ByteView bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    const uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0;
    sum += uint32_t{bytes[i]} << 8 | low;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

std::vector<uint8_t> RandomBytes(Rng& rng, size_t length) {
  std::vector<uint8_t> bytes(length);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(rng.Next32());
  return bytes;
}

TEST(ChecksumTest, ExampleOfRfc1071) {
  const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(ChecksumFinish(ChecksumAdd(bytes)), 0xffff & ~0xddf2);
}

TEST(ChecksumTest, EveryLengthAndAlignment) {
  Rng rng(1);
  const std::vector<uint8_t> bytes = RandomBytes(rng, 1600);
  for (size_t start = 0; start < 9; ++start) {
    for (size_t length = 0; length < 80; ++length) {
      const ByteView run(bytes.data() + start, length);
      EXPECT_EQ(ChecksumFinish(ChecksumAdd(run)), Reference(run))
          << start << " " << length;
    }
  }
  EXPECT_EQ(ChecksumFinish(ChecksumAdd(bytes)), Reference(bytes));
}

TEST(ChecksumTest, LargestSumDoesNotLoseCarries) {
  const std::vector<uint8_t> ones(65535, 0xff);
  EXPECT_EQ(ChecksumFinish(ChecksumAdd(ones)), Reference(ones));
}

TEST(ChecksumTest, PiecesAddUpAtEvenAndOddCuts) {
  Rng rng(2);
  const std::vector<uint8_t> bytes = RandomBytes(rng, 101);
  const ByteView all(bytes);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    PartialSum tail = ChecksumAdd(all.subspan(cut));
    if (cut % 2 == 1) tail = ChecksumSwap(tail);
    const PartialSum sum = ChecksumAdd(all.first(cut)) + tail;
    EXPECT_EQ(ChecksumFinish(sum), Reference(bytes)) << cut;
  }
}

TEST(ChecksumTest, FieldsAddLikeTheirBytes) {
  const uint8_t bytes[] = {0x12, 0x34, 0xde, 0xad, 0xbe, 0xef};
  const PartialSum sum = ChecksumAdd32(0xdeadbeef, ChecksumAdd16(0x1234, 0));
  EXPECT_EQ(ChecksumFold(sum), ChecksumFold(ChecksumAdd(bytes)));
}

TEST(ChecksumTest, PseudoHeaderIsTheSumOfItsBytes) {
  const uint8_t bytes[] = {10, 1, 2, 3, 192, 168, 7, 9, 0, 6, 0x12, 0x34};
  EXPECT_EQ(
      ChecksumFold(PseudoHeaderSum(Ipv4Address(10, 1, 2, 3),
                                   Ipv4Address(192, 168, 7, 9), 6, 0x1234)),
      ChecksumFold(ChecksumAdd(bytes)));
}

TEST(ChecksumTest, UpdateEqualsComputingAnew) {
  Rng rng(3);
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> bytes = RandomBytes(rng, 20);
    const uint16_t before = ChecksumFinish(ChecksumAdd(bytes));
    const uint16_t from = LoadBe16(bytes.data() + 4);
    const auto to = static_cast<uint16_t>(rng.Next32());
    StoreBe16(bytes.data() + 4, to);
    EXPECT_EQ(ChecksumUpdate16(before, from, to),
              ChecksumFinish(ChecksumAdd(bytes)));
  }
}

// The corner for which RFC 1624 replaced RFC 1141: 0xdd2f becomes 0x0000, not
// 0xffff.
TEST(ChecksumTest, UpdateExampleOfRfc1624) {
  EXPECT_EQ(ChecksumUpdate16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

}  // namespace
}  // namespace corelane
