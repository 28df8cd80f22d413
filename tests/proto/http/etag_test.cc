#include "proto/http/etag.h"

#include <gtest/gtest.h>

namespace corelane::http {
namespace {

TEST(ETagTest, Text) {
  EXPECT_EQ(MakeETag(0).view(), "\"0000000000000000\"");
  EXPECT_EQ(MakeETag(0x0123456789abcdef).view(), "\"0123456789abcdef\"");
  EXPECT_EQ(MakeETag(~uint64_t{0}).view(), "\"ffffffffffffffff\"");
}

TEST(ETagTest, IfNoneMatch) {
  struct Case {
    const char* header;
    bool matches;
  };
  const Case kCases[] = {
      {"\"a\"", true},
      {"W/\"a\"", true},
      {"*", true},
      {" * ", true},
      {"\"b\"", false},
      {"\"b\", \"a\"", true},
      {"\"b\",W/\"a\"", true},
      {"\"b\" ,\t \"c\"", false},
      {",, \"b\" ,, \"a\",", true},
      {"\"b,\", \"a\"", true},
      {"\"b, \"a\"", false},  // unbalanced: not trusted
      {"\"x,\"a\"", false},
      {"\"A\"", false},
      {"a", false},
      {"\"a", false},
      {"\"", false},
      {"w/\"a\"", false},
      {"W/", false},
      {"\"b\" \"a\"", false},
      {"\"b\", *", false},
      {"", false},
      {",", false},
      {"\"\"", false},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(IfNoneMatchMatches(c.header, "\"a\""), c.matches) << c.header;
    EXPECT_EQ(IfNoneMatchMatches(c.header, "W/\"a\""), c.matches) << c.header;
  }
  EXPECT_TRUE(IfNoneMatchMatches("\"a,b\"", "\"a,b\""));
  ETag etag = MakeETag(42);
  EXPECT_TRUE(IfNoneMatchMatches(etag.view(), etag.view()));
  EXPECT_FALSE(IfNoneMatchMatches(MakeETag(43).view(), etag.view()));
}

}  // namespace
}  // namespace corelane::http
