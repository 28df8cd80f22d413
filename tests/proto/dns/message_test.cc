#include "proto/dns/message.h"

#include <string>

#include "gtest/gtest.h"
#include "proto/base/rng.h"

namespace corelane::dns {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Named(std::string_view text) {
  auto name = EncodeName(text);
  EXPECT_TRUE(name.has_value()) << text;
  return name.value_or(Bytes());
}

// A response to the query, with records appended to it.
Bytes Respond(Bytes query, uint16_t answers, const Bytes& records) {
  query[2] |= 0x80;
  StoreBe16(&query[6], answers);
  query.insert(query.end(), records.begin(), records.end());
  return query;
}

TEST(DnsNameTest, IsEncodedInLowerCase) {
  EXPECT_EQ(Named("Ab.c"), (Bytes{2, 'a', 'b', 1, 'c', 0}));
  EXPECT_EQ(Named("ab.c."), Named("ab.c"));
  EXPECT_EQ(Named("."), Bytes{0});
  EXPECT_TRUE(EncodeName(std::string(63, 'x')).has_value());
  for (const std::string& bad :
       {std::string(), std::string(".."), std::string(".a"),
        std::string("a..b"), std::string("a.."), std::string(64, 'x')}) {
    EXPECT_FALSE(EncodeName(bad).has_value()) << bad;
  }
  std::string longest;  // 255 bytes on the wire (RFC 1035 section 2.3.4)
  for (int i = 0; i < 126; ++i) longest += "a.";
  EXPECT_TRUE(EncodeName(longest + "b").has_value());
  EXPECT_FALSE(EncodeName(longest + "bc").has_value());
}

TEST(DnsNameTest, TypesAndRcodes) {
  EXPECT_EQ(ParseType("A"), kA);
  EXPECT_EQ(ParseType("aaaa"), kAaaa);
  EXPECT_EQ(ParseType("TYPE65"), 65);
  EXPECT_EQ(ParseType("TYPE65536"), std::nullopt);
  EXPECT_EQ(ParseType("TYPE"), std::nullopt);
  EXPECT_EQ(ParseType("AAA"), std::nullopt);
  EXPECT_EQ(ParseRcode("nxdomain"), 3);
  EXPECT_EQ(ParseRcode("OK"), std::nullopt);
}

TEST(DnsMessageTest, AQuestionAndItsEcho) {
  Bytes query = MakeQuery(Named("www.example.com"), kA);
  SetId(query.data(), 0x1234);
  auto header = ReadHeader(query);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->id, 0x1234);
  EXPECT_FALSE(header->is_response);
  Bytes response = Respond(query, 0, {});
  EXPECT_TRUE(ReadHeader(response)->is_response);
  EXPECT_TRUE(EchoesQuestion(response, query));
  response[kHeaderLength + 1] = 'W';  // case does not matter
  EXPECT_TRUE(EchoesQuestion(response, query));
  EXPECT_FALSE(EchoesQuestion(response, MakeQuery(Named("example.com"), kA)));
  EXPECT_FALSE(
      EchoesQuestion(response, MakeQuery(Named("www.example.com"), kAaaa)));
  StoreBe16(&response[4], 0);
  EXPECT_FALSE(EchoesQuestion(response, query));
}

TEST(DnsMessageTest, FindsAnAnswer) {
  const Bytes query = MakeQuery(Named("a.b"), kA);
  // An alias, and the address of what it stands for; names are compressed.
  const Bytes records = {0xc0, 12, 0,   5,    0,  1,    0,  0, 0, 9, 0,
                         4,    1,  'x', 0xc0, 14, 0xc0, 33, 0, 1, 0, 1,
                         0,    0,  0,   9,    0,  4,    10, 1, 2, 3};
  const Bytes response = Respond(query, 2, records);
  EXPECT_TRUE(HasAnswer(response, kA, Bytes{10, 1, 2, 3}));
  EXPECT_FALSE(HasAnswer(response, kA, Bytes{10, 1, 2, 4}));
  EXPECT_TRUE(HasAnswer(response, kCname, Named("X.B")));
  EXPECT_FALSE(HasAnswer(response, kCname, Named("y.b")));
  EXPECT_FALSE(HasAnswer(response, kAaaa, Bytes{10, 1, 2, 3}));
  // Cut off anywhere.
  for (size_t n = 0; n < response.size(); ++n) {
    const ByteView cut = ByteView(response).first(n);
    EXPECT_FALSE(HasAnswer(cut, kA, Bytes{10, 1, 2, 3})) << n;
  }
}

TEST(DnsMessageTest, PointersThatLeadNowhereEnd) {
  const Bytes query = MakeQuery(Named("a.b"), kPtr);
  const uint8_t at = static_cast<uint8_t>(query.size());
  for (const uint8_t to : {at, static_cast<uint8_t>(at + 1), uint8_t{255}}) {
    const Bytes records = {0xc0, to, 0, 12, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, to};
    EXPECT_FALSE(HasAnswer(Respond(query, 1, records), kPtr, Named("a.b")));
  }
}

TEST(DnsMessageTest, AnythingCanBeRead) {
  const uint64_t seed = 1;
  SCOPED_TRACE(seed);
  Rng rng(seed, 0xd45);
  const Bytes query = MakeQuery(Named("a.b"), kPtr);
  for (int i = 0; i < 5'000; ++i) {
    Bytes message = Respond(query, 3, {});
    const size_t more = rng.Below(60);
    for (size_t k = 0; k < more; ++k) {
      const auto byte = static_cast<uint8_t>(rng.Next64());
      message.push_back(rng.Below(4) == 0 ? 0xc0 : byte % 40);
    }
    HasAnswer(message, kPtr, Named("a.b"));
    EchoesQuestion(message, query);
  }
}

}  // namespace
}  // namespace corelane::dns
