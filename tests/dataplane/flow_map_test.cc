#include "dataplane/flow/flow_map.h"

#include <array>

#include "gtest/gtest.h"

namespace corelane::dataplane {
namespace {

// The verification suite of Microsoft's RSS specification.
constexpr std::array<uint8_t, 40> kSpecKey = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
    0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
    0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
    0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

uint32_t Ip(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  return Ipv4Address(a, b, c, d).value();
}

TEST(ToeplitzTest, HashesAsTheSpecificationSays) {
  const Toeplitz toeplitz(kSpecKey);
  EXPECT_EQ(
      toeplitz.Hash(Ip(66, 9, 149, 187), Ip(161, 142, 100, 80), 2794, 1766),
      0x51ccc178u);
  EXPECT_EQ(
      toeplitz.Hash(Ip(199, 92, 111, 2), Ip(65, 69, 140, 83), 14230, 4739),
      0xc626b0eau);
  EXPECT_EQ(
      toeplitz.Hash(Ip(24, 19, 198, 95), Ip(12, 22, 207, 184), 12898, 38024),
      0x5c2b394au);
}

std::vector<uint16_t> Table(size_t size, uint16_t cores) {
  std::vector<uint16_t> table(size);
  for (size_t i = 0; i < size; ++i) table[i] = static_cast<uint16_t>(i % cores);
  return table;
}

TEST(FlowMapTest, LocalPortsAreLinear) {
  const FlowMap map(kSpecKey, Table(128, 3));
  tcp::FlowKey key{Ip(10, 0, 0, 1), Ip(10, 0, 0, 2), 0, 80};
  const uint32_t base = map.BaseOf(key);
  for (uint32_t port = 0; port < 65536; ++port) {
    key.local_port = static_cast<uint16_t>(port);
    ASSERT_EQ(map.OwnerAt(base, key.local_port), map.OwnerOf(key)) << port;
  }
}

}  // namespace
}  // namespace corelane::dataplane
