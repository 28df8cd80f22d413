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

}  // namespace
}  // namespace corelane::sim
