#include "dataplane/runtime/secrets.h"

#include <gtest/gtest.h>

#include "proto/tcp/isn.h"

namespace corelane::runtime {
namespace {

// A process that takes another's place, address and port goes on with its
// timestamps; nothing else can be told from the one before.
TEST(SecretsTest, OnlyTimestampsGoOn) {
  const auto first = DrawSecrets();
  const auto second = DrawSecrets();
  ASSERT_TRUE(first.ok() && second.ok());
  const tcp::FlowKey flow{.local_address = 1,
                          .remote_address = 2,
                          .local_port = 3,
                          .remote_port = 4};
  EXPECT_EQ(tcp::TimestampOffset(flow, first->timestamps),
            tcp::TimestampOffset(flow, second->timestamps));
  EXPECT_NE(first->isn.k0, second->isn.k0);
  EXPECT_NE(first->cookies.k0, second->cookies.k0);
  EXPECT_NE(first->ports.k0, second->ports.k0);
  EXPECT_NE(first->rng.k0, second->rng.k0);
}

}  // namespace
}  // namespace corelane::runtime
