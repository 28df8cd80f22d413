#include "proto/ipv4/fragmentation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace corelane::ipv4 {
namespace {

std::vector<FragmentRange> Cut(uint16_t length, uint16_t mtu) {
  std::vector<FragmentRange> all;
  Fragmenter cut(length, mtu);
  for (FragmentRange f; cut.Next(f);) all.push_back(f);
  return all;
}

using Ranges = std::vector<FragmentRange>;

TEST(FragmentationTest, WhatFitsStaysWhole) {
  EXPECT_EQ(Cut(0, 1500), (Ranges{{0, 0, false}}));
  EXPECT_EQ(Cut(1480, 1500), (Ranges{{0, 1480, false}}));
}

TEST(FragmentationTest, OneByteTooMany) {
  EXPECT_EQ(Cut(1481, 1500), (Ranges{{0, 1480, true}, {1480, 1, false}}));
}

TEST(FragmentationTest, CutsAtMultiplesOfEight) {
  EXPECT_EQ(Cut(2000, 1006),
            (Ranges{{0, 984, true}, {984, 984, true}, {1968, 32, false}}));
  // The last one may use the whole MTU.
  EXPECT_EQ(Cut(984 + 986, 1006), (Ranges{{0, 984, true}, {984, 986, false}}));
}

TEST(FragmentationTest, EverythingIsCoveredOnce) {
  for (uint16_t mtu : {0, 68, 100, 576, 1280, 1499, 1500, 9000, 65535}) {
    for (uint16_t length : {1, 7, 8, 47, 48, 49, 1000, 8192, 65507, 65515}) {
      uint32_t next = 0;
      const Ranges all = Cut(length, mtu);
      ASSERT_LE(all.size(), 1366u);
      for (const FragmentRange& f : all) {
        ASSERT_EQ(f.offset, next);
        ASSERT_EQ(f.offset % 8, 0);
        ASSERT_LE(f.length + 20, std::max<int>(mtu, 68));
        ASSERT_EQ(f.more, &f != &all.back());
        next += f.length;
      }
      ASSERT_EQ(next, length);
    }
  }
}

TEST(FragmentationTest, LongestPingAtEthernetMtu) {
  EXPECT_EQ(Cut(65515, 1500).size(), 45u);
}

}  // namespace
}  // namespace corelane::ipv4
