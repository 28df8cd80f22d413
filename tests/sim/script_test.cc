// Runs every file in tests/sim/scripts.
#include "tests/sim/script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace corelane::sim {
namespace {

std::vector<std::string> ScriptNames() {
  std::vector<std::string> names;
  const auto folder = std::filesystem::path(CORELANE_SIM_DATA) / "scripts";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ScriptTest : public testing::TestWithParam<std::string> {};

TEST_P(ScriptTest, Runs) {
  const auto path = std::filesystem::path(CORELANE_SIM_DATA) / "scripts" /
                    (GetParam() + ".txt");
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open());
  std::stringstream text;
  text << file.rdbuf();
  Script script;
  EXPECT_EQ(script.Run(text.str()), "") << GetParam();
}

std::string NameOf(const testing::TestParamInfo<std::string>& script) {
  return script.param;
}
INSTANTIATE_TEST_SUITE_P(Scripts, ScriptTest, testing::ValuesIn(ScriptNames()),
                         NameOf);

TEST(Script, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(Script().Run(""), "nothing happens in this script");
  EXPECT_EQ(Script().Run("0 dance"), "line 1: no such command: dance");
  EXPECT_EQ(Script().Run("0 listen\n+0 < S 0:0(0)\n+0 quiet").substr(0, 7),
            "line 3:");
  EXPECT_EQ(Script().Run("0 listen\n+0 < S 0:0(0)").substr(0, 11),
            "at the end:");
  EXPECT_EQ(Script().Run("0 listen\n+0 > S. 0:0(0) ack 1").substr(0, 7),
            "line 2:");
}

// A script that asserts nothing passes, too: what is written must matter.
TEST(Script, LooksAtWhatIsWritten) {
  const std::string open =
      "set ecn off\n0 listen\n+0 < S 0:0(0) win 65535 <mss 1460,sackOK,ts 9 "
      "ecr 0>\n+0 > S. 0:0(0) ack 1";
  EXPECT_EQ(Script().Run(open), "");
  EXPECT_EQ(Script().Run(open + " <mss 1460,sackOK,ts 0 ecr 9>"), "");
  EXPECT_EQ(Script().Run(open + " <ts * ecr 9,mss 1460,nop,sackOK>"), "");
  EXPECT_EQ(Script().Run(open + " noect tos 0 ttl 64"), "");
  for (const char* wrong :
       {" <>", " <mss 1460>", " <mss 1460,sackOK,ts 0 ecr 8>",
        " <mss 1460,sackOK,ts 7 ecr 9>", " <mss 1461,sackOK,ts 0 ecr 9>",
        " ect0", " ttl 63", " win 1", " port 5001", " from 10.0.0.9"}) {
    EXPECT_EQ(Script().Run(open + wrong).substr(0, 7), "line 4:") << wrong;
  }
  EXPECT_EQ(Script().Run(open + "\n+0 check requests 2..3").substr(0, 7),
            "line 5:");
  EXPECT_EQ(Script().Run(open + "\n+.1~.2 > S. 0:0(0) ack 1").substr(0, 7),
            "line 5:");
  EXPECT_EQ(Script().Run(open + "\n+.1~1.1 > S. 0:0(0) ack 1"), "");
}

TEST(Script, RejectsWhatItDoesNotKnow) {
  for (const char* line : {"set dance on", "set ecn perhaps", "0 check dance 1",
                           "0 app dance", "0 app send 1", "0 < S 0:0(0) <ts 1>",
                           "0 < X 0:0(0)", "0 < S 0:1(0)", "0 quiet~1"}) {
    EXPECT_EQ(Script().Run(line).substr(0, 7), "line 1:") << line;
  }
}

}  // namespace
}  // namespace corelane::sim
