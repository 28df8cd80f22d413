#include "dataplane/cli/blast_packets.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/cli/blast_flags.h"

namespace corelane::cli {
namespace {

// Of ten that were sent eight came back; one of the others was refused.
uint64_t LostOf(const std::string& what, size_t cores) {
  BlastPlan plan;
  plan.what = what;
  BlastResults results;
  results.tally.sent = 10;
  for (int i = 0; i < 8; ++i) results.tally.Note(dataplane::Outcome::kOk);
  results.tally.Note(dataplane::Outcome::kRefused);
  CountLost(plan, cores, results);
  return results.tally.Of(dataplane::Outcome::kLost);
}

TEST(BlastPacketsTest, SeveralCoresLoseWhatNoneGotBack) {
  EXPECT_EQ(LostOf("pps", 2), 2u);
  EXPECT_EQ(LostOf("pps", 1), 0u);  // its load has counted
}

// Others say themselves what became of each request.
TEST(BlastPacketsTest, RequestsAreNotCountedTwice) {
  for (const char* what : {"http", "echo", "udp", "dns", "send", "hold"}) {
    EXPECT_EQ(LostOf(what, 2), 0u) << what;
  }
}

}  // namespace
}  // namespace corelane::cli
