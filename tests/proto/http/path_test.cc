#include "proto/http/path.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "proto/base/rng.h"

namespace corelane::http {
namespace {

// "(refused)" when there is no result. The buffer is exactly as long as the
// promise says is enough.
std::string Normalize(std::string_view raw) {
  std::vector<char> buffer(raw.size());
  std::optional<std::string_view> path = NormalizePath(raw, buffer);
  return path.has_value() ? std::string(*path) : "(refused)";
}

TEST(PathTest, Accepted) {
  struct Case {
    const char* raw;
    const char* path;
  };
  const Case kCases[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/b/", "/a/b/"},
      {"//", "/"},
      {"//a///b//", "/a/b/"},
      {"/.", "/"},
      {"/./", "/"},
      {"/a/.", "/a/"},
      {"/a/./b", "/a/b"},
      {"/a/..", "/"},
      {"/a/../", "/"},
      {"/a/b/..", "/a/"},
      {"/a/b/../c", "/a/c"},
      {"/a/b/../../c", "/c"},
      {"/a//../b", "/b"},
      {"/...", "/..."},
      {"/..a/.b/c..", "/..a/.b/c.."},
      {"/a%20b", "/a b"},
      {"/%61%2Fb%2fc", "/a/b/c"},
      {"/a/%2e%2E/b", "/b"},
      {"/a/%2e/b", "/a/b"},
      {"/a%2F..%2Fb", "/b"},
      {"/%25%32%65", "/%2e"},  // decoded once only
      {"/%c3%a9", "/\xc3\xa9"},
      {"/%3Fx", "/?x"},
  };
  for (const Case& c : kCases) EXPECT_EQ(Normalize(c.raw), c.path) << c.raw;
}

TEST(PathTest, Refused) {
  const char* const kRaw[] = {
      "",        "a",        "*",          "%2Fa",        "/..",
      "/../",    "/../a",    "/a/../..",   "/a/../../a",  "/%2e%2e",
      "/.%2e/a", "/..%2f",   "/a/./../..", "//..",        "/%",
      "/%2",     "/%2g",     "/%g0",       "/a%",         "/%%41",
      "/%00",    "/a%00.js", "/%0d%0a",    "/a%1f",       "/%7F",
      "/a\x01",  "/\x7f",    "/% 1",       "/a/..%2f../b"};
  for (const char* raw : kRaw) EXPECT_EQ(Normalize(raw), "(refused)") << raw;
  EXPECT_EQ(Normalize(std::string_view("/a\0b", 4)), "(refused)");
}

TEST(PathTest, ABufferTooSmallIsARefusal) {
  std::vector<char> buffer(3);
  EXPECT_FALSE(NormalizePath("/abc", buffer).has_value());
  EXPECT_EQ(NormalizePath("/ab", buffer), "/ab");
  EXPECT_FALSE(NormalizePath("/", std::span<char>()).has_value());
}

// Whatever comes out is absolute, has no segment left to resolve, and stays as
// it is when normalised again.
TEST(PathTest, RandomPathsStayBelowTheRoot) {
  const uint64_t kSeed = 99;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  const char* const kPieces[] = {"/", "/", ".", "..", "a", "%2e", "%2f", "b%"};
  Rng rng(kSeed);
  int accepted = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string raw = "/";
    for (uint32_t n = rng.Below(12); n > 0; --n) {
      raw += kPieces[rng.Below(rng.Below(20) == 0 ? 8 : 7)];
    }
    std::string path = Normalize(raw);
    if (path == "(refused)") continue;
    ++accepted;
    ASSERT_EQ(path.front(), '/') << raw;
    std::string closed = path + "/";
    ASSERT_EQ(path.find("//"), std::string::npos) << raw;
    ASSERT_EQ(closed.find("/./"), std::string::npos) << raw;
    ASSERT_EQ(closed.find("/../"), std::string::npos) << raw;
    ASSERT_EQ(Normalize(path), path) << raw;
  }
  EXPECT_GT(accepted, 10000);
}

}  // namespace
}  // namespace corelane::http
