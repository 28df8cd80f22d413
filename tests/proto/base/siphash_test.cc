#include "proto/base/siphash.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>

namespace corelane {
namespace {

// The key and the messages of the reference vectors: 00 01 02 ...
constexpr SipKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

struct Vector {
  size_t length;
  uint64_t sip24;
  uint64_t sip13;
};

constexpr Vector kVectors[] = {
    {0, 0x726fdb47dd0e0e31, 0xabac0158050fc4dc},
    {1, 0x74f839c593dc67fd, 0xc9f49bf37d57ca93},
    {7, 0xab0200f58b01d137, 0xd3927d989bb11140},
    {8, 0x93f5f5799a932462, 0x369095118d299a8e},
    {9, 0x9e0082df0ba9e4b0, 0x25a48eb36c063de4},
    {15, 0xa129ca6149be45e5, 0xd320d86d2a519956},
    {63, 0x958a324ceb064572, 0x9d199062b7bbb3a8},
};

TEST(SipHashTest, ReferenceVectors) {
  std::array<uint8_t, 64> message;
  for (size_t i = 0; i < message.size(); ++i) {
    message[i] = static_cast<uint8_t>(i);
  }
  for (const Vector& v : kVectors) {
    const ByteView bytes(message.data(), v.length);
    EXPECT_EQ(SipHash24(kKey, bytes), v.sip24) << v.length;
    EXPECT_EQ(SipHash13(kKey, bytes), v.sip13) << v.length;
  }
}

TEST(SipHashTest, UnalignedMessage) {
  std::array<uint8_t, 24> message{};
  for (size_t i = 0; i < 15; ++i) message[i + 3] = static_cast<uint8_t>(i);
  EXPECT_EQ(SipHash24(kKey, {message.data() + 3, 15}), 0xa129ca6149be45e5);
}

}  // namespace
}  // namespace corelane
