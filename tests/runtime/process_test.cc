// What touches the process as a whole: signals, stderr, secrets.
#include <signal.h>
#include <unistd.h>

#include <cstring>

#include "dataplane/runtime/log.h"
#include "dataplane/runtime/secrets.h"
#include "dataplane/runtime/stderr_hold.h"
#include "dataplane/runtime/stop_signal.h"
#include "gtest/gtest.h"

namespace corelane::runtime {
namespace {

TEST(StopSignalTest, CountsRequestsAndRestoresHandlers) {
  struct sigaction before = {};
  sigaction(SIGTERM, nullptr, &before);
  {
    const StopSignal stop;
    EXPECT_EQ(StopSignal::Requests(), 0);
    raise(SIGTERM);
    EXPECT_EQ(StopSignal::Requests(), 1);
    raise(SIGINT);
    EXPECT_EQ(StopSignal::Requests(), 2);
    raise(SIGPIPE);  // would end the process
  }
  struct sigaction after = {};
  sigaction(SIGTERM, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
  const StopSignal again;
  EXPECT_EQ(StopSignal::Requests(), 0);
}

TEST(StopSignalTest, RespectsNohup) {
  signal(SIGHUP, SIG_IGN);
  {
    const StopSignal stop;
    raise(SIGHUP);
    EXPECT_EQ(StopSignal::Requests(), 0);
  }
  signal(SIGHUP, SIG_DFL);
}

TEST(StopSignalDeathTest, TheThirdSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        const StopSignal stop;
        raise(SIGINT);
        raise(SIGINT);
        raise(SIGINT);
      },
      testing::ExitedWithCode(1), "");
}

TEST(StderrHoldTest, KeepsWhatIsWrittenMeanwhile) {
  testing::internal::CaptureStderr();
  LogError("before");
  {
    const StderrHold hold;
    EXPECT_EQ(hold.FirstLine(), "");
    LogError("meanwhile");
    LogError("second line");
    EXPECT_EQ(hold.FirstLine(), "corelane: meanwhile");
  }
  LogError("after");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "corelane: before\ncorelane: after\n");
}

TEST(LogTest, IsQuietButForErrorsAndKeepsToOneLine) {
  testing::internal::CaptureStderr();
  SetQuiet(true);
  LogInfo("unheard");
  LogError("two\nlines");
  SetQuiet(false);
  LogInfo("heard");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "corelane: two lines\ncorelane: heard\n");
}

TEST(SecretsTest, DifferEachTime) {
  const auto a = DrawSecrets();
  const auto b = DrawSecrets();
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NE(a->isn.k0, b->isn.k0);
  EXPECT_NE(a->flow_hash.k1, b->flow_hash.k1);
  EXPECT_NE(a->isn.k0, a->ports.k0);
}

}  // namespace
}  // namespace corelane::runtime
