#include "dataplane/flow/profiles.h"

#include <gtest/gtest.h>

namespace corelane::dataplane {
namespace {

tcp::Config WithTtl(uint8_t ttl) {
  tcp::Config config;
  config.ttl = ttl;
  return config;
}

TEST(Profiles, TheDefaultsAreProfileZeroForEver) {
  Profiles profiles(WithTtl(7));
  EXPECT_EQ(profiles[Profiles::kDefault].ttl, 7);
  EXPECT_EQ(profiles.Acquire(WithTtl(7)), Profiles::kDefault);
  profiles.Release(Profiles::kDefault);
  profiles.Release(Profiles::kDefault);
  EXPECT_EQ(profiles.Acquire(WithTtl(7)), Profiles::kDefault);
  EXPECT_EQ(profiles.in_use(), 1);
}

TEST(Profiles, EqualOptionsShareOne) {
  Profiles profiles(tcp::Config{});
  const uint16_t a = profiles.Acquire(WithTtl(1));
  EXPECT_EQ(profiles.Acquire(WithTtl(1)), a);
  EXPECT_NE(profiles.Acquire(WithTtl(2)), a);
  EXPECT_EQ(profiles.in_use(), 3);
  profiles.Release(a);
  EXPECT_EQ(profiles[a].ttl, 1);
  EXPECT_EQ(profiles.in_use(), 3);
  profiles.Release(a);
  EXPECT_EQ(profiles.in_use(), 2);
}

TEST(Profiles, FullMeansNoneUntilOneIsReleased) {
  Profiles profiles(tcp::Config{}, 3);
  const uint16_t a = profiles.Acquire(WithTtl(1));
  profiles.AddReference(a);
  ASSERT_NE(profiles.Acquire(WithTtl(2)), Profiles::kNone);
  EXPECT_EQ(profiles.Acquire(WithTtl(3)), Profiles::kNone);
  profiles.Release(a);
  EXPECT_EQ(profiles.Acquire(WithTtl(3)), Profiles::kNone);
  profiles.Release(a);
  EXPECT_EQ(profiles.Acquire(WithTtl(3)), a);
}

}  // namespace
}  // namespace corelane::dataplane
