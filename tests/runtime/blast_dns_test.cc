#include "dataplane/cli/blast_dns.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/dns/message.h"

namespace corelane::cli {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(BlastDnsTest, ReadsALineForEachQuery) {
  auto queries = ParseDnsQueries("q.txt",
                                 "# ours\n"
                                 "www.example.com A 192.0.2.1\n"
                                 "\n"
                                 "\twww.example.com.  aaaa  2001:db8::1\r\n"
                                 "gone.example A NXDOMAIN ; not there\n"
                                 "example.com MX\n"
                                 "example.com NS ns.example.com");
  ASSERT_TRUE(queries.ok()) << queries.status();
  ASSERT_EQ(queries->size(), 5u);
  EXPECT_EQ((*queries)[0].data, (Bytes{192, 0, 2, 1}));
  EXPECT_EQ((*queries)[0].query,
            dns::MakeQuery(*dns::EncodeName("www.example.com"), dns::kA));
  EXPECT_EQ((*queries)[1].data.size(), 16u);
  EXPECT_EQ((*queries)[1].type, dns::kAaaa);
  EXPECT_EQ((*queries)[2].rcode, 3);
  EXPECT_TRUE((*queries)[2].data.empty());
  EXPECT_EQ((*queries)[3].type, 15);
  EXPECT_EQ((*queries)[4].data, *dns::EncodeName("ns.example.com"));
}

TEST(BlastDnsTest, SaysWhatIsWrongInWhichLine) {
  struct Bad {
    const char* text;
    const char* says;
  };
  for (const Bad& bad : {
           Bad{"", "q.txt: no query"},
           Bad{"# nothing\n\n", "q.txt: no query"},
           Bad{"a.b A\na.b\n", "q.txt:2: write a name, a type"},
           Bad{"a.b A 10.1.2.3 10.1.2.4", "q.txt:1: write a name, a type"},
           Bad{"a..b A", "q.txt:1: a..b: no name"},
           Bad{"a.b AAA", "q.txt:1: AAA: no type"},
           Bad{"a.b A 10.1.2", "q.txt:1: 10.1.2: write an IPv4 address"},
           Bad{"a.b AAAA 10.1.2.3", "write an IPv6 address"},
           Bad{"a.b MX mail.b", "not looked into"},
       }) {
    auto queries = ParseDnsQueries("q.txt", bad.text);
    ASSERT_FALSE(queries.ok()) << bad.text;
    EXPECT_THAT(std::string(queries.status().message()),
                testing::HasSubstr(bad.says));
  }
}

}  // namespace
}  // namespace corelane::cli
