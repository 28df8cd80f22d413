#include "dataplane/runtime/mailbox.h"

#include <atomic>
#include <semaphore>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/runtime/test_stack.h"

namespace corelane::runtime {
namespace {

TEST(MailboxTest, RunsARequestOnTheLoop) {
  TestStack stack;
  std::atomic<int> wakes{0};
  Mailbox mailbox([&] { ++wakes; });
  std::atomic<bool> stop{false};
  std::thread loop([&] {
    while (!stop.load()) mailbox.Poll(stack.pipeline());
  });
  std::thread::id ran_on;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(mailbox
                    .Call(
                        [&](dataplane::Pipeline&) {
                          ran_on = std::this_thread::get_id();
                        },
                        10s)
                    .ok());
    ASSERT_EQ(ran_on, loop.get_id());
  }
  EXPECT_EQ(wakes.load(), 1000);
  stop.store(true);
  loop.join();
}

TEST(MailboxTest, SerializesCallers) {
  TestStack stack;
  Mailbox mailbox([] {});
  std::atomic<bool> stop{false};
  std::thread loop([&] {
    while (!stop.load()) mailbox.Poll(stack.pipeline());
  });
  int count = 0;  // written by the loop only
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        EXPECT_TRUE(
            mailbox.Call([&](dataplane::Pipeline&) { ++count; }, 10s).ok());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  stop.store(true);
  loop.join();
  EXPECT_EQ(count, 1000);
}

TEST(MailboxTest, WithdrawsWhatNobodyTakesUp) {
  TestStack stack;
  Mailbox mailbox([] {});
  bool ran = false;
  const absl::Status status =
      mailbox.Call([&](dataplane::Pipeline&) { ran = true; }, 10ms);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(mailbox.Poll(stack.pipeline()));
  EXPECT_FALSE(ran);
}

// A caller whose patience ends again and again must never find that its request
// ran after the call, nor lose an answer.
TEST(MailboxTest, NeverRunsARequestAfterItsCall) {
  TestStack stack;
  Mailbox mailbox([] {});
  std::atomic<bool> stop{false};
  std::thread loop([&] {
    while (!stop.load()) {
      mailbox.Poll(stack.pipeline());
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 3000; ++i) {
    bool ran = false;
    const absl::Status status =
        mailbox.Call([&](dataplane::Pipeline&) { ran = true; }, 1us);
    ASSERT_EQ(status.ok(), ran);
  }
  stop.store(true);
  loop.join();
}

TEST(MailboxTest, RefusesWhenTheLoopEnds) {
  TestStack stack;
  std::binary_semaphore asked(0);
  Mailbox mailbox([&] { asked.release(); });
  std::thread closer([&] {
    asked.acquire();
    mailbox.Close();
  });
  // Else it would be kDeadlineExceeded.
  absl::Status status = mailbox.Call([](dataplane::Pipeline&) {}, 10s);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  closer.join();
  status = mailbox.Call([](dataplane::Pipeline&) {}, 10s);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace corelane::runtime
