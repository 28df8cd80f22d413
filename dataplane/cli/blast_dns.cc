#include "dataplane/cli/blast_dns.h"

#include <arpa/inet.h>

#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dataplane/cli/blast_flags.h"
#include "dataplane/cli/flag_values.h"
#include "proto/dns/message.h"

namespace corelane::cli {
namespace {

using dataplane::DnsQuery;
using Bytes = std::vector<uint8_t>;

// More would not fit into memory beside the stack.
constexpr size_t kMaxQueries = 1u << 20;
constexpr uint32_t kIdsOfASocket = 1u << 16;

template <int kFamily, size_t kSize>
std::optional<Bytes> Address(const std::string& text) {
  std::array<uint8_t, kSize> bytes{};
  if (inet_pton(kFamily, text.c_str(), bytes.data()) != 1) return {};
  return Bytes(bytes.begin(), bytes.end());
}

// What an answer of this type has to have; or what to write instead.
absl::StatusOr<Bytes> DataOf(uint16_t type, const std::string& text) {
  std::optional<Bytes> data;
  const char* instead = "";
  switch (type) {
    case dns::kA:
      data = Address<AF_INET, 4>(text);
      instead = "an IPv4 address";
      break;
    case dns::kAaaa:
      data = Address<AF_INET6, 16>(text);
      instead = "an IPv6 address";
      break;
    case dns::kNs:
    case dns::kCname:
    case dns::kPtr:
      data = dns::EncodeName(text);
      instead = "a name";
      break;
    default:
      return absl::InvalidArgumentError(
          "answers of this type are not looked into; write an rcode like "
          "NOERROR or NXDOMAIN, or nothing");
  }
  if (data.has_value()) return *std::move(data);
  return absl::InvalidArgumentError(
      absl::StrCat("write ", instead, " or an rcode like NXDOMAIN"));
}

absl::StatusOr<DnsQuery> ParseLine(const std::vector<std::string>& words) {
  if (words.size() < 2 || words.size() > 3) {
    return absl::InvalidArgumentError(
        "write a name, a type and perhaps the answer, like: www.example.com A "
        "192.0.2.1");
  }
  DnsQuery query;
  const auto name = dns::EncodeName(words[0]);
  if (!name.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(words[0],
                     ": no name; labels have 1 to 63 characters, the "
                     "whole at most 253"));
  }
  const auto type = dns::ParseType(words[1]);
  if (!type.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(words[1],
                     ": no type; write A, AAAA, NS, CNAME, PTR, MX, "
                     "TXT, SOA, SRV, ... or TYPE65"));
  }
  query.type = *type;
  query.query = dns::MakeQuery(*name, *type);
  if (words.size() < 3) return query;
  if (const auto rcode = dns::ParseRcode(words[2]); rcode.has_value()) {
    query.rcode = *rcode;
    return query;
  }
  auto data = DataOf(*type, words[2]);
  if (!data.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(words[2], ": ", data.status().message()));
  }
  query.data = *std::move(data);
  return query;
}

}  // namespace

absl::StatusOr<std::vector<DnsQuery>> ParseDnsQueries(const std::string& path,
                                                      const std::string& text) {
  std::vector<DnsQuery> queries;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = line.substr(0, line.find_first_of("#;"));
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty()) continue;
    auto query = ParseLine(words);
    if (!query.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": ", query.status().message()));
    }
    if (queries.size() == kMaxQueries) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": at most ", kMaxQueries,
                       " queries; leave the others out"));
    }
    queries.push_back(*std::move(query));
  }
  if (!queries.empty()) return queries;
  return absl::InvalidArgumentError(
      absl::StrCat(path,
                   ": no query is in it; write a line for each, like: "
                   "www.example.com A 192.0.2.1"));
}

absl::StatusOr<std::vector<DnsQuery>> ReadDnsQueries(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)),
                         std::istreambuf_iterator<char>());
  if (file.bad() || !file.is_open()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--queries ", path, ": cannot be read"));
  }
  return ParseDnsQueries(path, text);
}

absl::Status BlastFlags::UnderstandDns(BlastPlan& plan) const {
  if (!queries_.has_value()) {
    return absl::InvalidArgumentError(
        "no --queries; give a file with a query per line, like: "
        "www.example.com A 192.0.2.1");
  }
  absl::Status s = UnderstandLoad(plan.dns.load);
  plan.dns.sockets = 16;
  Take(sockets_, plan.dns.sockets, s, [](const std::string& t) {
    return ParseNumber("--sockets", t, 1, 1024, "");
  });
  if (!s.ok()) return s;
  const uint64_t most = uint64_t{kIdsOfASocket} * plan.dns.sockets;
  if (closed_ && plan.dns.load.concurrency > most) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--concurrency ", plan.dns.load.concurrency, ": ", plan.dns.sockets,
        " sockets have IDs for ", most, "; give more --sockets"));
  }
  auto queries = ReadDnsQueries(*queries_);
  if (!queries.ok()) return queries.status();
  plan.dns.queries =
      std::make_shared<const std::vector<DnsQuery>>(*std::move(queries));
  plan.udp.load = plan.dns.load;
  return absl::OkStatus();
}

}  // namespace corelane::cli
