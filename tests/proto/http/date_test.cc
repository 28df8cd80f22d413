#include "proto/http/date.h"

#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <limits>

#include "proto/base/rng.h"

namespace corelane::http {
namespace {

TEST(DateTest, KnownTimes) {
  struct Case {
    int64_t seconds;
    const char* text;
  };
  const Case kCases[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},  // RFC 9110's example
      {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {1709251199, "Thu, 29 Feb 2024 23:59:59 GMT"},
      {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},  // no leap year
      {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {253402300800, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {std::numeric_limits<int64_t>::max(), "Fri, 31 Dec 9999 23:59:59 GMT"},
      {std::numeric_limits<int64_t>::min(), "Thu, 01 Jan 1970 00:00:00 GMT"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(FormatHttpDate(c.seconds).view(), c.text);
  }
}

TEST(DateTest, AgreesWithTheCLibrary) {
  const uint64_t kSeed = 7;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  Rng rng(kSeed);
  for (int i = 0; i < 20000; ++i) {
    auto seconds = static_cast<time_t>(rng.Next64() % 253402300800u);
    std::tm civil;
    gmtime_r(&seconds, &civil);
    std::array<char, 64> text;
    strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &civil);
    ASSERT_EQ(FormatHttpDate(seconds).view(), text.data()) << seconds;
  }
}

}  // namespace
}  // namespace corelane::http
