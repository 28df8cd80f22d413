// One EAL for the whole process, without huge pages, with devices that exist
// nowhere but in it. Needs no privilege.
#include "pmd/port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pmd/clock.h"
#include "pmd/eal.h"
#include "pmd/idle.h"

namespace corelane::pmd {
namespace {

using testing::HasSubstr;

class EalEnvironment : public testing::Environment {
 public:
  static std::string Name() { return absl::StrCat("cltest", getpid()); }

  void TearDown() override {
    if (!eal_.has_value()) return;
    eal_.reset();
    EXPECT_FALSE(std::filesystem::exists(RuntimeDirectory(Name())));
  }

  // Started by the first test that wants it: listing tests must stay quick.
  Eal& Get() {
    if (!eal_.has_value()) {
      EalOptions options;
      options.file_prefix = Name();
      options.memory_mb = 128;
      options.huge_pages = HugePages::kOff;
      options.devices = Devices();
      absl::StatusOr<Eal> eal = Eal::Start(options);
      if (!eal.ok()) {
        std::string message(eal.status().message());
        throw std::runtime_error(message);
      }
      eal_.emplace(*std::move(eal));
    }
    return *eal_;
  }

  static std::vector<DeviceSpec> Devices() {
    const std::vector<std::string> texts = {"ring", "null,size=64"};
    return ParseDevices(texts).value();
  }

 private:
  std::optional<Eal> eal_;
};

auto* const environment = static_cast<EalEnvironment*>(
    testing::AddGlobalTestEnvironment(new EalEnvironment));

class PortTest : public testing::Test {
 protected:
  PortTest() : eal_(environment->Get()) {}

  PacketMempool MakePool(uint32_t packets = 2047) {
    static int count = 0;
    return PacketMempool::Create(
               {.name = absl::StrCat("test", count++), .packets = packets})
        .value();
  }

  Eal& eal_;
};

TEST_F(PortTest, PoolGivesEveryPacketAndTakesThemBack) {
  PacketMempool pool = MakePool(1000);
  EXPECT_EQ(pool.Capacity(), 1000u);
  EXPECT_EQ(pool.Available(), 1000u);
  std::vector<rte_mbuf*> packets(1100);
  uint32_t taken = 0;
  while (const uint32_t n = pool.Take(&packets[taken], 64)) taken += n;
  EXPECT_EQ(taken, 1000u);
  EXPECT_EQ(pool.Available(), 0u);
  for (uint32_t i = 0; i < taken; ++i) {
    const rte_mbuf* p = packets[i];
    ASSERT_EQ(p->refcnt, 1);
    ASSERT_EQ(p->data_off, 128);
    ASSERT_EQ(p->data_len, 0);
    ASSERT_EQ(p->nb_segs, 1);
    ASSERT_EQ(p->next, nullptr);
    ASSERT_EQ(p->ol_flags, 0u);
    ASSERT_EQ(p->buf_len, 2176);
    ASSERT_EQ(p->priv_size, 64);
  }
  pool.Give(packets.data(), taken);
  EXPECT_EQ(pool.Available(), 1000u);
}

TEST_F(PortTest, PoolLetsGoOfExternalBytes) {
  PacketMempool pool = MakePool(64);
  static int released = 0;
  rte_mbuf_ext_shared_info owner = {};
  owner.free_cb = [](void*, void*) { ++released; };
  owner.refcnt = 1;
  rte_mbuf* p = nullptr;
  ASSERT_EQ(pool.Take(&p, 1), 1u);
  char bytes[256];
  rte_pktmbuf_attach_extbuf(p, bytes, 0, sizeof(bytes), &owner);
  pool.Give(&p, 1);
  EXPECT_EQ(released, 1);
  ASSERT_EQ(pool.Available(), 64u);
  std::vector<rte_mbuf*> all(64);
  ASSERT_EQ(pool.Take(all.data(), 64), 64u);
  for (const rte_mbuf* q : all) EXPECT_NE(q->buf_addr, bytes);
  pool.Give(all.data(), 64);
}

TEST_F(PortTest, PoolRefusesWithFiguresAndRemedy) {
  const auto huge =
      PacketMempool::Create({.name = "huge", .packets = 1'000'000});
  EXPECT_EQ(huge.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(huge.status().message()),
              HasSubstr("1000000 packets, which take 23"));
  EXPECT_THAT(std::string(huge.status().message()), HasSubstr("--memory"));
  EXPECT_FALSE(PacketMempool::Create({.name = "few", .packets = 1}).ok());
  EXPECT_FALSE(
      PacketMempool::Create({.name = "odd", .packets = 64, .private_size = 3})
          .ok());
}

TEST_F(PortTest, RingReturnsWhatWasSent) {
  PacketMempool pool = MakePool();
  PacketMempool* pools[] = {&pool};
  {
    auto port = Port::Open(EalEnvironment::Devices()[0], {}, pools);
    ASSERT_TRUE(port.ok()) << port.status();
    const PortCaps& caps = (*port)->caps();
    EXPECT_EQ(caps.name, "net_ring0");
    EXPECT_EQ(caps.queues, 1);
    EXPECT_EQ(caps.mtu, 1500);
    EXPECT_FALSE(caps.mac.IsZero());
    EXPECT_FALSE(caps.mac.IsMulticast());
    EXPECT_FALSE(caps.rx_interrupt);
    EXPECT_TRUE((*port)->LinkStatus().up);
    EXPECT_THAT(ToString(caps), HasSubstr("port 0 net_ring0 "));

    rte_mbuf* out[8];
    ASSERT_EQ(pool.Take(out, 8), 8u);
    for (rte_mbuf* p : out) rte_pktmbuf_append(p, 60);
    PortQueue queue(port->get(), 0);
    ASSERT_EQ(queue.TxBurst(out, 8), 8);
    rte_mbuf* in[32];
    ASSERT_EQ(queue.RxBurst(in, 32), 8);
    EXPECT_EQ(in[0], out[0]);
    pool.Give(in, 8);
    EXPECT_EQ((*port)->Stats().rx_packets, 8u);
    EXPECT_FALSE((*port)->Xstats().empty());
    (*port)->ResetStats();
    EXPECT_EQ((*port)->Stats().rx_packets, 0u);
  }
  EXPECT_EQ(pool.Available(), pool.Capacity());
}

TEST_F(PortTest, NullRefusesAnImpossibleMtuAndThenRuns) {
  PacketMempool pool = MakePool();
  PacketMempool* pools[] = {&pool};
  const DeviceSpec spec = EalEnvironment::Devices()[1];
  PortOptions options;
  // Less than IPv4 asks of any link (RFC 791).
  options.mtu = 20;
  EXPECT_THAT(std::string(Port::Open(spec, options, pools).status().message()),
              HasSubstr("an MTU of 20 is not possible"));
  options.mtu = 0;
  options.queues = 4;
  options.rx_interrupt = true;
  auto port = Port::Open(spec, options, pools);
  ASSERT_TRUE(port.ok()) << port.status();
  EXPECT_FALSE((*port)->caps().rx_interrupt);
  rte_mbuf* in[32];
  const uint16_t n = (*port)->RxBurst(0, in, 32);
  EXPECT_EQ(n, 32);
  EXPECT_EQ(in[0]->data_len, 64);
  EXPECT_EQ((*port)->TxBurst(0, in, n), n);
}

TEST_F(PortTest, ADeviceThatTheEalDoesNotHave) {
  PacketMempool pool = MakePool(64);
  PacketMempool* pools[] = {&pool};
  const std::vector<std::string> texts = {"tap"};
  const auto port = Port::Open(ParseDevices(texts).value()[0], {}, pools);
  EXPECT_EQ(port.status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PortTest, TheRunningInstanceCanBeFound) {
  EXPECT_EQ(FindInstance(EalEnvironment::Name()), getpid());
  EXPECT_TRUE(std::filesystem::exists(eal_.telemetry_socket()));
  EalOptions again;
  again.file_prefix = EalEnvironment::Name();
  EXPECT_THAT(std::string(Eal::Start(again).status().message()),
              HasSubstr("is already running (pid "));
}

TEST_F(PortTest, ClockAgreesWithTheKernels) {
  Clock clock;
  const Time start = clock.Now();
  const auto kernel_start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(50ms);
  const Duration ours = clock.Now() - start;
  const Duration theirs = std::chrono::steady_clock::now() - kernel_start;
  EXPECT_LT(std::chrono::abs(ours - theirs), 2ms);
}

TEST_F(PortTest, IdleSpinsThenSleepsUntilTheDeadline) {
  auto idle = Idle::Create({}).value();
  Clock clock;
  idle->Worked(clock.Now());
  const Time start = clock.Now();
  const Time deadline = start + 20ms;
  Time now = start;
  int polls = 0;
  while ((now = clock.Now()) < deadline) {
    idle->Wait(now, deadline);
    ++polls;
  }
  EXPECT_GT(idle->sleeps(), 0u);
  EXPECT_GT(idle->slept(), 5ms);
  EXPECT_LT(polls, 100'000);
}

TEST_F(PortTest, SpinModeNeverSleeps) {
  auto idle = Idle::Create({.mode = IdleMode::kSpin}).value();
  for (int i = 0; i < 1000; ++i) idle->Wait(kTimeZero + i * 1ms, kTimeNever);
  EXPECT_EQ(idle->sleeps(), 0u);
}

TEST_F(PortTest, AWakeCutsTheSleepShort) {
  IdleOptions options;
  options.first_sleep = 10s;
  options.longest_sleep = 10s;
  auto idle = Idle::Create(options).value();
  Clock clock;
  std::atomic<bool> published{false};
  std::thread waker([&] {
    std::this_thread::sleep_for(30ms);
    published.store(true);
    idle->Wake();
  });
  const Time start = clock.Now();
  while (!published.load()) idle->Wait(clock.Now(), kTimeNever);
  EXPECT_LT(clock.Now() - start, 5s);
  waker.join();
}

}  // namespace
}  // namespace corelane::pmd
