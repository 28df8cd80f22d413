// Whatever a user gets wrong before DPDK starts: exit code 2, one line on
// stderr that says what to type instead, nothing on stdout.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corelane::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct BadInput {
  const char* words;  // separated by blanks
  const char* says;
};

constexpr BadInput kCases[] = {
    {"--port 7", "corelane echo --port"},
    {"ecoh", "did you mean 'echo'?"},
    {"netsat", "did you mean 'netstat'?"},
    {"frobnicate", "unknown command 'frobnicate'"},
    {"help frobnicate", "unknown command 'frobnicate'"},
    {"echo", "--addr 10.77.0.2/24"},
    {"echo --prot 7", "did you mean '--port'?"},
    {"echo --prot=7", "did you mean '--port'?"},
    {"echo --adr 10.77.0.2/24", "did you mean '--addr'?"},
    {"echo -p 7", "unknown flag -p"},
    {"echo now", "unexpected argument 'now'"},
    {"echo --addr 10.77.0.2/24 now", "unexpected argument 'now'"},
    {"echo --addr", "--addr needs a value"},
    {"echo --port", "--port needs a value"},
    {"echo --port 7 --port 8", "--port is given more than once"},
    {"echo --addr 10.77.0.2/24 --port 0", "from 1 to 65535"},
    {"echo --addr 10.77.0.2/24 --port 65536", "from 1 to 65535"},
    {"echo --addr 10.77.0.2/24 --port -1", "from 1 to 65535"},
    {"echo --addr 10.77.0.2/24 --metrics-port 0", "from 1 to 65535"},
    {"echo --addr 10.77.0.2/24 --metrics-port 7", "the service listens there"},
    {"echo --addr 10.77.0.2", "write 10.77.0.2/24"},
    {"echo --addr 10.77.0.0/24", "host part is zero"},
    {"echo --addr 10.77.0.2/24@1", "no such device"},
    {"echo --addr 10.77.0.2/24 --addr 10.77.0.2/24", "given twice"},
    {"echo --addr 10.77.0.2/24@vlan0", "from 1 to 4094"},
    {"echo --addr 10.77.0.2/24@1.vlan3", "numbered from 0 to 0"},
    {"echo --addr 10.77.0.2/24 --gateway 10.78.0.1", "10.77.0.0/24"},
    {"echo --addr 10.77.0.2/24 --gateway x", "not an IPv4 address"},
    {"echo --addr 10.77.0.2/24 --route 10.0.0.0/8", "10.1.0.0/16,10.77.0.1"},
    {"echo --addr 10.77.0.2/24 --listen 10.77.0.3", "no --addr of ours"},
    {"echo --addr 10.77.0.2/24 --dev tpa", "did you mean 'tap'?"},
    {"echo --addr 10.77.0.2/24 --dev tap,ifcae=x", "did you mean 'iface'?"},
    {"echo --addr 10.77.0.2/24 --name a/b", "letters, digits"},
    {"echo --addr 10.77.0.2/24 --max-connections 0", "from 1 to 67108864"},
    {"echo --addr 10.77.0.2/24 --max-connections 1e9", "from 1 to 67108864"},
    {"echo --addr 10.77.0.2/24 --idle lazy", "spin, adaptive"},
    {"echo --addr 10.77.0.2/24 --mtu 64", "from 576 to 9216 bytes"},
    {"echo --addr 10.77.0.2/24 --congestion vegas",
     "newreno, cubic, dctcp, bbr"},
    {"echo --addr 10.77.0.2/24 --send-buffer 1k", "from 4096 to 1073741824"},
    {"echo --addr 10.77.0.2/24 --receive-buffer 0", "from 4096 to 1073741824"},
    {"echo --addr 10.77.0.2/24 --huge maybe", "auto, require, off"},
    {"echo --addr 10.77.0.2/24 --memory 0", "MiB"},
    {"echo --dev null --addr 10.77.0.2/24 --memory 1", "give at least"},
    {"echo --addr 10.77.0.2/24 --cores two", "such as 2-5 or 0,1"},
    {"echo --addr 10.77.0.2/24 --cores 0,", "such as 2-5 or 0,1"},
    {"echo --addr 10.77.0.2/24 --cores 1-0", "such as 2-5 or 0,1"},
    {"echo --addr 10.77.0.2/24 --cores 0-", "such as 2-5 or 0,1"},
    {"echo --addr 10.77.0.2/24 --cores 0,0", "CPU 0 is named twice"},
    {"echo --addr 10.77.0.2/24 --cores 0-4000000000", "there is no CPU"},
    {"echo --dev null --addr 10.77.0.2/24 --cores 1023", "there is no CPU"},
    {"echo --addr 10.77.0.2/24 --grace soon", "such as 500ms"},
    {"echo --addr 10.77.0.2/24 --dev af_packet,iface=nosuch0",
     "no interface nosuch0"},
    {"echo --addr 10.77.0.2/24 --dev af_packet", "iface="},
    {"http --addr 10.77.0.2/24 --root /no/such/folder", "--root"},
    {"http --addr 10.77.0.2/24 --root /etc/passwd", "--root"},
    {"http --addr 10.77.0.2/24 --body a --size 1", "exclude each other"},
    {"http --addr 10.77.0.2/24 --size many", "bytes"},
    {"http --addr 10.77.0.2/24 --idle-timeout 0", "from 100ms"},
    {"netstat --name no-such-instance", "no instance named"},
    {"netstat --name a/b", "letters, digits"},
    {"netstat --state OPEN", "such as LISTEN"},
    {"netstat --port 0", "from 1 to 65535"},
    {"netstat --addr 10.77", "10.77.0.0/24"},
    {"netstat --top 0", "from 1 to 25"},
    {"netstat --top 20 by=age", "by=retrans"},
    {"netstat --top 20 30 40", "too many words"},
    {"netstat -x", "unknown flag -x"},
    {"netstat --wid", "did you mean '--wide'?"},
    {"netstat 10.77.0.2", "unexpected argument"},
    {"netstat -- -l 0", "nothing follows --"},
    {"stats --name no-such-instance", "named 'no-such-instance"},
    {"ports --name no-such-instance", "named 'no-such-instance"},
    {"arp --name no-such-instance", "named 'no-such-instance"},
    {"route --name no-such-instance", "named 'no-such-instance"},
    {"top --name no-such-instance", "named 'no-such-instance"},
    {"top --interval 1ms", "from 100ms"},
    {"doctor --name no-such-instance", "named 'no-such-instance"},
    {"doctor now", "unexpected argument"},
    {"capture", "give -w FILE"},
    {"capture --decode --name no-such-instance", "named 'no-such-instance"},
    {"capture tpc port 80 --decode", "write it as for tcpdump"},
    {"capture -w - --decode", "both want the standard output"},
    {"capture --decode --max-packets 0", "from 1 to"},
    {"capture --decode --seconds 0", "from 1s"},
    {"addr --name no-such-instance", "named 'no-such-instance"},
    {"addr ad 10.77.0.3/24", "did you mean 'add'?"},
    {"addr add", "write: corelane addr add"},
    {"addr add 10.77.0.3", "write 10.77.0.3/24"},
    {"addr add 10.77.0.3/24 10.77.0.4/24", "write: corelane addr add"},
    {"addr del 10.77", "not an IPv4 address"},
    {"route add 10.1.0.0/16", "10.1.0.0/16,10.77.0.1"},
    {"route del 10.1.0.0", "route del 10.1.0.0/16"},
    {"route dle 10.1.0.0/16", "did you mean 'del'?"},
    {"arp flsh", "did you mean 'flush'?"},
    {"arp flush now", "unexpected argument 'now'"},
    {"version now", "unexpected argument"},
    {"blast replay --dev null", "say which file"},
    {"blast replay /no/such/file --dev null", "/no/such/file: No such file"},
    {"blast replay /dev/null --dev null", "/dev/null: it is empty"},
    {"blast replay /etc/passwd --dev null", "/etc/passwd: it is no capture"},
    {"blast replay x --speed 0 --dev null", "like 2 for half the time"},
    {"blast replay x --speed 2 --rate 1k --dev null", "leave it or --rate out"},
    {"blast replay x --loop 0 --dev null", "--loop"},
    {"blast replay x --rate 0 --dev null", "above 0"},
    {"blast replay x --dst-mac 1:2 --dev null", "--dst-mac 1:2"},
    {"blast replay x --size 64 --dev null", "--size is for"},
    {"blast replay x --sources 10.0.0.0/24 --dev null", "--sources is for"},
    {"blast replay x --cores 0,1 --dev null", "one core"},
    {"blast replay x --gateway 10.77.0.1 --dev null", "leave it out"},
    {"blast pps --loop 2 --dev null", "--loop is for replay only"},
};

struct Outcome {
  int code;
  std::string out;
  std::string error;
};

Outcome RunWords(const std::vector<std::string>& words) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = RunProgram(words);
  outcome.error = testing::internal::GetCapturedStderr();
  outcome.out = testing::internal::GetCapturedStdout();
  return outcome;
}

void ExpectOneLine(const std::vector<std::string>& words, const char* says) {
  SCOPED_TRACE(absl::StrJoin(words, " "));
  const Outcome outcome = RunWords(words);
  EXPECT_EQ(outcome.code, kExitBadInput);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.error, StartsWith("corelane: "));
  EXPECT_THAT(outcome.error, HasSubstr(says));
  EXPECT_EQ(std::count(outcome.error.begin(), outcome.error.end(), '\n'), 1);
  EXPECT_EQ(outcome.error.back(), '\n');
}

TEST(BadInputTest, IsOneLineAndExitCodeTwo) {
  for (const BadInput& bad : kCases) {
    ExpectOneLine(absl::StrSplit(bad.words, ' '), bad.says);
  }
}

TEST(BadInputTest, EmptyAndStrangeWords) {
  ExpectOneLine({}, "no command");
  ExpectOneLine({""}, "no command");
  ExpectOneLine({"echo", "--port", ""}, "--port ''");
  ExpectOneLine({"echo", ""}, "unexpected argument ''");
  ExpectOneLine({"echo", "--name", "a\nb", "--addr", "10.77.0.2/24"},
                "letters, digits");
  ExpectOneLine({"\n"}, "unknown command");
}

TEST(HelpTest, ExplainsEveryCommand) {
  const Outcome all = RunWords({"--help"});
  EXPECT_EQ(all.code, kExitOk);
  EXPECT_EQ(all.error, "");
  for (const char* command :
       {"http", "echo", "discard", "chargen", "netstat", "stats", "ports",
        "arp", "route", "version", "top", "addr", "capture", "doctor"}) {
    EXPECT_THAT(all.out, HasSubstr(std::string("\n  ") + command + " "));
    for (const auto& words : {std::vector<std::string>{command, "--help"},
                              std::vector<std::string>{"help", command}}) {
      const Outcome one = RunWords(words);
      EXPECT_EQ(one.code, kExitOk);
      EXPECT_EQ(one.error, "");
      EXPECT_THAT(one.out, HasSubstr(std::string("corelane ") + command));
    }
  }
  EXPECT_THAT(RunWords({"echo", "-h"}).out, HasSubstr("af_xdp,iface=IF"));
}

TEST(VersionTest, IsTheBuilds) {
  EXPECT_STREQ(Version(), CORELANE_EXPECTED_VERSION);
  const Outcome outcome = RunWords({"--version"});
  EXPECT_EQ(outcome.code, kExitOk);
  EXPECT_THAT(outcome.out, StartsWith("corelane " CORELANE_EXPECTED_VERSION));
  EXPECT_THAT(outcome.out, HasSubstr("DPDK"));
}

}  // namespace
}  // namespace corelane::cli
