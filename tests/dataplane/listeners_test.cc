#include "dataplane/flow/listeners.h"

#include <gtest/gtest.h>

namespace corelane::dataplane {
namespace {

const Ipv4Address kA(10, 0, 0, 1);
const Ipv4Address kB(10, 0, 0, 2);

uint32_t Add(Listeners& listeners, Ipv4Address address, uint16_t port,
             uint16_t device = kAnyPort) {
  Listener listener;
  listener.address = address;
  listener.port = port;
  listener.device = device;
  auto added = listeners.Add(listener);
  EXPECT_TRUE(added.ok());
  return added.ok() ? *added : 0;
}

TEST(Listeners, AnExactAddressWinsOverAny) {
  Listeners listeners;
  const uint32_t any = Add(listeners, Ipv4Address(), 80);
  const uint32_t exact = Add(listeners, kA, 80);
  EXPECT_EQ(listeners.IndexOf(listeners.Find(kA, 80, 0)), exact);
  EXPECT_EQ(listeners.IndexOf(listeners.Find(kB, 80, 0)), any);
  EXPECT_EQ(listeners.Find(kA, 81, 0), nullptr);
}

TEST(Listeners, ADeviceLimitsWhereItHears) {
  Listeners listeners;
  const uint32_t any = Add(listeners, Ipv4Address(), 80);
  const uint32_t tied = Add(listeners, kA, 80, /*device=*/1);
  EXPECT_EQ(listeners.IndexOf(listeners.Find(kA, 80, 1)), tied);
  // On another device it is as if it were not there.
  EXPECT_EQ(listeners.IndexOf(listeners.Find(kA, 80, 0)), any);
}

TEST(Listeners, APairIsTakenUntilItIsRemoved) {
  Listeners listeners;
  const uint32_t first = Add(listeners, kA, 80);
  Listener again;
  again.address = kA;
  again.port = 80;
  EXPECT_EQ(listeners.Add(again).status().code(),
            absl::StatusCode::kAlreadyExists);
  listeners.Remove(first);
  EXPECT_EQ(listeners.Find(kA, 80, 0), nullptr);
  EXPECT_EQ(Add(listeners, kA, 80), first);  // the index is used again
}

}  // namespace
}  // namespace corelane::dataplane
