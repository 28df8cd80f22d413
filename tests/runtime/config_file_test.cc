#include "dataplane/cli/config_file.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/commands.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corelane::cli {
namespace {

using testing::HasSubstr;

TEST(ParseConfigTest, KeepsLinesAndKinds) {
  const auto entries = ParseConfig(
      "# a comment\n"
      "port = 8080\n"
      "addr = [\"10.77.0.2/24\", \"10.78.0.2/24@1\"]\n\n"
      "quiet = true\n"
      "body = \"a \\\"b\\\"\"\n",
      "x.toml");
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 4u);
  EXPECT_EQ((*entries)[0].key, "port");
  EXPECT_EQ((*entries)[0].values, std::vector<std::string>{"8080"});
  EXPECT_EQ((*entries)[0].line, 2u);
  EXPECT_EQ((*entries)[1].values.size(), 2u);
  EXPECT_EQ((*entries)[2].kind, ConfigEntry::Kind::kSwitch);
  EXPECT_EQ((*entries)[2].line, 5u);
  EXPECT_EQ((*entries)[3].values[0], "a \"b\"");
}

TEST(ParseConfigTest, NamesTheLine) {
  struct Bad {
    const char* text;
    const char* says;
  };
  const Bad kCases[] = {
      {"port = 1\nport = 2\n", "x.toml:2: "},
      {"port = 1\n\nport\n", "x.toml:3: "},
      {"port = 1.5\n", "x.toml:1: port: a value is"},
      {"a = 1\n[port]\nb = 1\n", "x.toml:2: port: a value is"},
      {"port = [[1]]\n", "x.toml:1: port: a value is"},
      {"port = \"1\n", "x.toml:1: "},
      {"= 1\n", "x.toml:1: "},
      {"\xff\xfe = 1\n", "x.toml:1: "},
  };
  for (const Bad& bad : kCases) {
    const auto entries = ParseConfig(bad.text, "x.toml");
    ASSERT_FALSE(entries.ok()) << bad.text;
    EXPECT_THAT(std::string(entries.status().message()), HasSubstr(bad.says));
  }
}

TEST(QuoteTomlTest, ComesBackAsItWent) {
  for (const std::string& text : std::vector<std::string>{
           "", "plain", "a\"b\\c", "tab\tnew\nline", "\x01\x7f", "\u00fc"}) {
    const auto entries = ParseConfig("k = " + QuoteToml(text), "x");
    ASSERT_TRUE(entries.ok()) << entries.status();
    EXPECT_EQ((*entries)[0].values[0], text);
  }
}

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() : path_(absl::StrCat("/tmp/corelane_", getpid(), ".toml")) {}
  ~ConfigTest() override { std::filesystem::remove(path_); }

  void Write(const std::string& text) { std::ofstream(path_) << text; }
  // What the program prints to stdout, or else to stderr.
  std::string Run(std::vector<std::string> words, int code) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    words.insert(words.begin() + 1, {"--config", path_});
    EXPECT_EQ(RunProgram(words), code);
    const std::string error = testing::internal::GetCapturedStderr();
    const std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(out.empty(), code != 0);
    return code == 0 ? out : error;
  }

  std::string path_;
};

TEST_F(ConfigTest, IsPrintedAsAFileThatGivesTheSame) {
  Write(
      "dev = \"null,no-rx=1\"\naddr = [\"10.77.0.2/24\"]\nport = 8080\n"
      "max-connections = 1000\nidle-timeout = \"3s\"\nbody = \"x\"\n");
  const std::string first = Run({"http", "--print-config"}, 0);
  EXPECT_THAT(first, HasSubstr("port = \"8080\"\n"));
  EXPECT_THAT(first, HasSubstr("body = \"x\"\n"));
  EXPECT_THAT(first, HasSubstr("grace = \"3000ms\"\n"));
  EXPECT_THAT(first, HasSubstr("Packet memory: "));
  Write(first);
  EXPECT_EQ(Run({"http", "--print-config"}, 0), first);
}

TEST_F(ConfigTest, WhatIsTypedWins) {
  Write("addr = \"10.77.0.2/24\"\nport = 8080\ndev = \"null\"\n");
  EXPECT_THAT(Run({"echo", "--print-config", "--port", "81"}, 0),
              HasSubstr("port = \"81\"\n"));
  EXPECT_THAT(Run({"echo", "--print-config", "--max-connections", "10M"}, 0),
              HasSubstr("# Connections: 10000000,"));
}

TEST_F(ConfigTest, MistakesAreOneLineWithTheirNumber) {
  struct Bad {
    const char* text;
    const char* says;
  };
  const Bad kCases[] = {
      {"port = 7\nprot = 8\n", ":2: unknown key 'prot'; did you mean 'port'?"},
      {"port = 7\nport = 8\n", ":2: "},
      {"config = \"x\"\n", ":1: unknown key 'config'"},
      {"\nport = 0\n", ":2: --port 0: a port is"},
      {"addr = [\"10.77.0.2/24\"]\n\nmtu = 1\n", ":3: --mtu 1: "},
      {"addr = \"10.77.0.0/24\"\n", ":1: --addr 10.77.0.0/24: "},
      {"port = [1, 2]\n", ":1: port takes one value"},
      {"port = true\n", ":1: port needs a value"},
      {"quiet = 1\n", ":1: quiet is either true or false"},
  };
  for (const Bad& bad : kCases) {
    Write(bad.text);
    const std::string error = Run({"echo"}, kExitBadInput);
    EXPECT_THAT(error, HasSubstr(bad.says));
    EXPECT_THAT(error, HasSubstr(path_));
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
  }
  std::filesystem::remove(path_);
  EXPECT_THAT(Run({"echo"}, kExitBadInput), HasSubstr("--config"));
  path_ = "/dev/zero";
  EXPECT_THAT(Run({"echo"}, kExitBadInput), HasSubstr("no file"));
  path_ = "";
}

}  // namespace
}  // namespace corelane::cli
