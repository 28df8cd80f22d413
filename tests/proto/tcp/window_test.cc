#include "proto/tcp/window.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "proto/base/rng.h"

namespace corelane::tcp {
namespace {

ControlBlock Block(uint8_t scale, uint32_t offered) {
  ControlBlock cb;
  cb.window_scales = static_cast<uint8_t>(scale << 4);
  cb.rcv_nxt = cb.rcv_acked = SeqNum(0xffffff00);
  cb.rcv_edge = cb.rcv_nxt + offered;
  cb.rcv_mss = 1000;
  return cb;
}

TEST(Window, SmallGainsAreNotTold) {
  Config config;
  ControlBlock cb = Block(0, 5000);
  EXPECT_FALSE(WindowWorthTelling(cb, 4000, config));
  EXPECT_FALSE(WindowWorthTelling(cb, 5999, config));
  EXPECT_TRUE(WindowWorthTelling(cb, 6000, config));
  EXPECT_EQ(OfferWindow(cb, 5999, config), 5000);
  EXPECT_EQ(OfferWindow(cb, 6000, config), 6000);
}

TEST(Window, HalfASmallBufferIsTold) {
  Config config;
  config.receive_buffer = 800;
  ControlBlock cb = Block(0, 0);
  EXPECT_FALSE(WindowWorthTelling(cb, 399, config));
  EXPECT_TRUE(WindowWorthTelling(cb, 400, config));
}

TEST(Window, NeverTakenBack) {
  Config config;
  ControlBlock cb = Block(0, 5000);
  EXPECT_EQ(OfferWindow(cb, 0, config), 5000);
  cb.rcv_nxt += 2000;
  EXPECT_EQ(OfferWindow(cb, 0, config), 3000);
}

TEST(Window, WithoutScalingWhatFitsIsOfferedAndAccepted) {
  Config config;  // 256 KiB
  ControlBlock cb = Block(0, 0);
  EXPECT_EQ(OfferWindow(cb, config.receive_buffer, config), 0xffff);
  EXPECT_EQ(cb.ReceiveWindow(), 0xffffu);
}

// However the space moves: the edge neither goes back nor past the space, and
// the field says no more than what is accepted, and less by a unit at most.
TEST(Window, EdgeStaysBetweenItsBounds) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const uint8_t scale = static_cast<uint8_t>(rng.Below(15));
    Config config;
    config.receive_buffer = rng.Between(100, 1u << 26);
    ControlBlock cb = Block(scale, 0);
    SeqNum capacity = cb.rcv_nxt;  // the furthest that memory has reached
    uint32_t unread = 0;
    for (int i = 0; i < 300; ++i) {
      const uint32_t take =
          std::min(cb.ReceiveWindow(), rng.Below(3) == 0 ? 1 : rng.Below(3000));
      cb.rcv_nxt += take;
      unread += take;
      if (rng.Below(4) == 0) unread -= rng.Below(unread + 1);
      const uint32_t space = config.receive_buffer - unread;
      capacity = SeqMax(capacity, cb.rcv_nxt + space);
      const SeqNum before = cb.rcv_edge;
      const uint32_t told = uint32_t{OfferWindow(cb, space, config)} << scale;
      ASSERT_GE(cb.rcv_edge, before);
      ASSERT_LE(cb.rcv_edge, capacity);
      ASSERT_LE(told, cb.ReceiveWindow());
      ASSERT_LT(cb.ReceiveWindow() - told, 1u << scale);
      ASSERT_LE(unread, config.receive_buffer);
    }
  }
}

TEST(WindowScale, CoversTheBuffer) {
  EXPECT_EQ(WindowScaleFor(65'535), 0);
  EXPECT_EQ(WindowScaleFor(65'536), 1);
  EXPECT_EQ(WindowScaleFor(256 * 1024), 3);
  EXPECT_EQ(WindowScaleFor(0xffffffff), 14);
}

}  // namespace
}  // namespace corelane::tcp
