#include "dataplane/app/content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace corelane::dataplane {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string TextOf(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

class ContentFolderTest : public ::testing::Test {
 protected:
  ContentFolderTest() {
    std::string name = ::testing::TempDir() + "content.XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~ContentFolderTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::string Body(const Content& content, std::string_view path) {
    const Resource* found = content.Find(path);
    return found == nullptr ? "(none)" : TextOf(found->body);
  }

  std::string root_;
};

TEST(ContentTest, TextIsTheAnswerToEveryPath) {
  auto content = Content::FromText("hello\n");
  ASSERT_TRUE(content.ok());
  EXPECT_EQ((*content)->Find("/a"), (*content)->Find("/b/c"));
  const Resource& resource = *(*content)->Find("/");
  EXPECT_EQ(TextOf(resource.body), "hello\n");
  EXPECT_EQ(TextOf(resource.answer).substr(resource.date_offset, 29),
            "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_THAT(TextOf(resource.answer), EndsWith("\r\n\r\nhello\n"));
  EXPECT_EQ(resource.answer.size(), resource.head_size + 6);
}

TEST(ContentTest, SizesAreExactAndLinesNumbered) {
  for (const uint64_t size : {0, 1, 16, 17, 256, 257, 100'000}) {
    auto content = Content::FromSize(size);
    ASSERT_TRUE(content.ok());
    const Resource& resource = *(*content)->everything();
    ASSERT_EQ(resource.body.size(), size);
    if (size > 1024) {
      EXPECT_EQ(TextOf(resource.body.subspan(size_t{16} * 1009, 16)),
                "000000000001009\n");
    }
    EXPECT_EQ(resource.answer.size(),
              resource.head_size + (size <= kInlineBody ? size : 0));
  }
}

TEST(ContentTest, AbsurdSizesNameTheFlag) {
  const auto content = Content::FromSize(uint64_t{1} << 60);
  ASSERT_FALSE(content.ok());
  EXPECT_THAT(content.status().message(), HasSubstr("--size"));
  EXPECT_THAT(content.status().message(), HasSubstr("--max-content"));
  EXPECT_FALSE(Content::FromText("12345", {.max_bytes = 4}).ok());
}

TEST_F(ContentFolderTest, ServesFilesWithTypeAndTag) {
  Write("/a.txt", "text");
  Write("/deep/er/b.css", "style");
  Write("/deep/er/empty", "");
  auto content = Content::FromFolder(root_);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(Body(**content, "/a.txt"), "text");
  EXPECT_EQ(Body(**content, "/deep/er/b.css"), "style");
  EXPECT_EQ(Body(**content, "/deep/er/empty"), "");
  EXPECT_EQ(Body(**content, "/deep/er"), "(none)");
  EXPECT_EQ(Body(**content, "/"), "(none)");
  EXPECT_THAT((*content)->Find("/deep/er/b.css")->media_type,
              HasSubstr("text/css"));
  EXPECT_NE((*content)->Find("/a.txt")->etag,
            (*content)->Find("/deep/er/b.css")->etag);
  EXPECT_EQ((*content)->everything(), nullptr);
}

TEST_F(ContentFolderTest, ATagChangesWithTheContentAndOnlyThen) {
  Write("/a", "one");
  const std::string first = (*Content::FromFolder(root_))->Find("/a")->etag;
  EXPECT_EQ((*Content::FromFolder(root_))->Find("/a")->etag, first);
  Write("/a", "two");
  EXPECT_NE((*Content::FromFolder(root_))->Find("/a")->etag, first);
}

TEST_F(ContentFolderTest, AFolderIsAnsweredWithItsIndex) {
  Write("/index.html", "top");
  Write("/a b/index.html", "sub");
  auto content = Content::FromFolder(root_);
  ASSERT_TRUE(content.ok());
  EXPECT_EQ(Body(**content, "/"), "top");
  EXPECT_EQ(Body(**content, "/index.html"), "top");
  EXPECT_EQ(Body(**content, "/a b/"), "sub");
  const Resource* redirect = (*content)->Find("/a b");
  ASSERT_NE(redirect, nullptr);
  EXPECT_EQ(redirect->status, 301);
  EXPECT_EQ(redirect->extra, "Location: /a%20b/\r\n");
}

TEST_F(ContentFolderTest, LeavesOutWhatShouldNotBeShown) {
  Write("/shown", "yes");
  Write("/.hidden", "no");
  Write("/.git/config", "no");
  Write("/line\nbreak", "no");
  ASSERT_EQ(mkfifo((root_ + "/pipe").c_str(), 0600), 0);
  auto content = Content::FromFolder(root_);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ((*content)->paths(), 1u);
}

TEST_F(ContentFolderTest, LinksStayWithinTheRoot) {
  Write("/in/file", "inside");
  Write("-outside", "secret");  // beside the root, with its name as prefix
  namespace fs = std::filesystem;
  fs::create_symlink(root_ + "-outside", root_ + "/escape");
  fs::create_symlink("/etc", root_ + "/etc");
  fs::create_symlink("/nonexistent", root_ + "/nowhere");
  fs::create_symlink("in", root_ + "/alias");
  fs::create_symlink("..", root_ + "/in/up");  // a loop
  auto content = Content::FromFolder(root_);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(Body(**content, "/in/file"), "inside");
  EXPECT_EQ(Body(**content, "/alias/file"), "inside");
  EXPECT_EQ((*content)->paths(), 2u);
  fs::remove(root_ + "-outside");
}

TEST_F(ContentFolderTest, RefusalsNameWhatIsWrong) {
  auto message = [](const std::string& root, const ContentLimits& limits = {}) {
    const auto content = Content::FromFolder(root, limits);
    EXPECT_FALSE(content.ok());
    return absl::StrCat(content.status().message());
  };
  EXPECT_THAT(message(root_ + "/missing"), HasSubstr("/missing"));
  EXPECT_THAT(message(root_), HasSubstr("no files to serve"));
  Write("/a", "12345");
  EXPECT_THAT(message(root_ + "/a"), HasSubstr("not a folder"));
  Write("/b", "12345");
  EXPECT_THAT(message(root_, {.max_bytes = 9}), HasSubstr("--max-content"));
  EXPECT_THAT(message(root_, {.max_files = 1}), HasSubstr("more than 1 files"));
  EXPECT_TRUE(Content::FromFolder(root_, {.max_bytes = 10}).ok());
}

}  // namespace
}  // namespace corelane::dataplane
