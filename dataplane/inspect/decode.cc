#include "dataplane/inspect/decode.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "proto/base/address.h"
#include "proto/base/checksum.h"
#include "proto/ethernet/header.h"

namespace corelane::inspect {
namespace {

// Reads fields off the front and writes a line for each.
class Decoder {
 public:
  explicit Decoder(ByteView bytes) : bytes_(bytes) {}

  ByteView rest() const { return bytes_.subspan(at_); }
  std::string& text() { return text_; }
  void Layer(const char* name) { layer_ = name; }
  void Line(absl::string_view field, absl::string_view value) {
    absl::StrAppendFormat(&text_, "  %-8s %-22s %s\n", layer_, field, value);
  }
  // Whether `n` more bytes are there; says so if not.
  bool Has(size_t n) {
    if (rest().size() >= n) return true;
    Line("(cut off)", absl::StrCat(rest().size(), " bytes of at least ", n));
    return false;
  }
  uint8_t Peek(size_t offset) const { return bytes_[at_ + offset]; }
  uint16_t Peek16(size_t offset) const {
    return LoadBe16(bytes_.data() + at_ + offset);
  }
  uint32_t Peek32(size_t offset) const {
    return LoadBe32(bytes_.data() + at_ + offset);
  }
  void Skip(size_t n) { at_ += std::min(n, rest().size()); }
  // Drops what lies behind the next `n` bytes.
  void Limit(size_t n) {
    bytes_ = bytes_.first(at_ + std::min(n, rest().size()));
  }

 private:
  ByteView bytes_;
  size_t at_ = 0;
  const char* layer_ = "";
  std::string text_;
};

struct Addresses {
  Ipv4Address source;
  Ipv4Address destination;
};

std::string Mac(ByteView bytes) {
  MacAddress mac;
  std::copy_n(bytes.begin(), 6, mac.bytes.begin());
  return ToString(mac);
}

std::string Number(uint64_t value) { return absl::StrCat(value); }
std::string Hex(uint16_t value) { return absl::StrFormat("0x%04x", value); }

std::string Verdict(uint16_t field, uint16_t sum) {
  return absl::StrCat(Hex(field), sum == 0 ? " (correct)"
                                           : " (not correct: left to the "
                                             "device, or damaged)");
}

uint16_t Sum(ByteView bytes) { return ChecksumFinish(ChecksumAdd(bytes)); }

// 0: correct. `whole` includes the field.
uint16_t L4Sum(ByteView whole, const Addresses& addresses, uint8_t protocol) {
  return ChecksumFinish(ChecksumAdd(
      whole, PseudoHeaderSum(addresses.source, addresses.destination, protocol,
                             static_cast<uint16_t>(whole.size()))));
}

void Payload(Decoder& d) {
  d.Layer("data");
  if (d.rest().empty()) return;
  constexpr size_t kShown = 16;
  std::string hex;
  std::string plain;
  for (const uint8_t byte : d.rest().first(std::min(kShown, d.rest().size()))) {
    absl::StrAppendFormat(&hex, "%02x ", byte);
    plain += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.';
  }
  d.Line(absl::StrCat(d.rest().size(), " bytes"),
         absl::StrCat(hex, " ", plain, d.rest().size() > kShown ? "..." : ""));
}

std::string TcpFlags(uint8_t flags) {
  constexpr const char* kNames[] = {"FIN", "SYN", "RST", "PSH",
                                    "ACK", "URG", "ECE", "CWR"};
  std::vector<const char*> set;
  for (int bit = 0; bit < 8; ++bit) {
    if ((flags >> bit & 1) != 0) set.push_back(kNames[bit]);
  }
  return absl::StrFormat("0x%02x %s", flags, absl::StrJoin(set, " "));
}

void TcpOption(Decoder& d, uint8_t kind, ByteView body) {
  auto word = [&](size_t at) { return LoadBe32(body.data() + at); };
  if (kind == 2 && body.size() == 2) {
    d.Line("option MSS", Number(LoadBe16(body.data())));
  } else if (kind == 3 && body.size() == 1) {
    d.Line("option window scale", Number(body[0]));
  } else if (kind == 4 && body.empty()) {
    d.Line("option SACK", "permitted");
  } else if (kind == 5 && body.size() % 8 == 0) {
    std::string blocks;
    for (size_t i = 0; i < body.size(); i += 8) {
      absl::StrAppend(&blocks, blocks.empty() ? "" : ", ", word(i), " to ",
                      word(i + 4));
    }
    d.Line("option SACK blocks", blocks);
  } else if (kind == 8 && body.size() == 8) {
    d.Line("option timestamps",
           absl::StrCat("value ", word(0), ", echo ", word(4)));
  } else {
    d.Line(absl::StrCat("option ", kind), absl::StrCat(body.size(), " bytes"));
  }
}

// At most one step per byte.
void TcpOptions(Decoder& d, size_t length) {
  while (length > 0 && !d.rest().empty()) {
    const uint8_t kind = d.Peek(0);
    if (kind == 0) break;
    if (kind == 1) {
      d.Skip(1);
      --length;
      continue;
    }
    const size_t size = d.rest().size() > 1 ? d.Peek(1) : 0;
    if (size < 2 || size > length || size > d.rest().size()) {
      d.Line(absl::StrCat("option ", kind), "malformed");
      break;
    }
    TcpOption(d, kind, d.rest().subspan(2, size - 2));
    d.Skip(size);
    length -= size;
  }
  d.Skip(length);
}

void Tcp(Decoder& d, const Addresses& addresses, bool complete) {
  d.Layer("TCP");
  if (!d.Has(20)) return;
  const uint16_t sum = complete ? L4Sum(d.rest(), addresses, 6) : 0;
  const size_t header = size_t{4} * (d.Peek(12) >> 4);
  d.Line("source port", Number(d.Peek16(0)));
  d.Line("destination port", Number(d.Peek16(2)));
  d.Line("sequence number", Number(d.Peek32(4)));
  d.Line("acknowledgment number", Number(d.Peek32(8)));
  d.Line("data offset",
         absl::StrCat(d.Peek(12) >> 4, " words (", header, " bytes)"));
  d.Line("flags", TcpFlags(d.Peek(13)));
  d.Line("window", Number(d.Peek16(14)));
  d.Line("checksum", complete ? Verdict(d.Peek16(16), sum) : Hex(d.Peek16(16)));
  d.Line("urgent pointer", Number(d.Peek16(18)));
  d.Skip(20);
  if (header < 20) {
    d.Line("(bad data offset)", "below 5 words");
    return;
  }
  TcpOptions(d, header - 20);
  Payload(d);
}

void Udp(Decoder& d, const Addresses& addresses, bool complete) {
  d.Layer("UDP");
  if (!d.Has(8)) return;
  const uint16_t field = d.Peek16(6);
  d.Line("source port", Number(d.Peek16(0)));
  d.Line("destination port", Number(d.Peek16(2)));
  d.Line("length", Number(d.Peek16(4)));
  std::string checksum = Hex(field);
  if (field == 0) {
    checksum += " (none)";
  } else if (complete) {
    checksum = Verdict(field, L4Sum(d.rest(), addresses, 17));
  }
  d.Line("checksum", checksum);
  d.Skip(8);
  Payload(d);
}

const char* IcmpName(uint8_t type) {
  switch (type) {
    case 0:
      return "echo reply";
    case 3:
      return "destination unreachable";
    case 5:
      return "redirect";
    case 8:
      return "echo request";
    case 11:
      return "time exceeded";
    case 12:
      return "parameter problem";
    default:
      return "other";
  }
}

void Icmp(Decoder& d, bool complete) {
  d.Layer("ICMP");
  if (!d.Has(8)) return;
  const uint8_t type = d.Peek(0);
  d.Line("type", absl::StrCat(type, " (", IcmpName(type), ")"));
  d.Line("code", Number(d.Peek(1)));
  d.Line("checksum",
         complete ? Verdict(d.Peek16(2), Sum(d.rest())) : Hex(d.Peek16(2)));
  if (type == 0 || type == 8) {
    d.Line("identifier", Number(d.Peek16(4)));
    d.Line("sequence number", Number(d.Peek16(6)));
  } else {
    d.Line("rest of header", absl::StrFormat("0x%08x", d.Peek32(4)));
  }
  d.Skip(8);
  Payload(d);
}

void Ipv4(Decoder& d) {
  d.Layer("IPv4");
  if (!d.Has(20)) return;
  const size_t header = size_t{4} * (d.Peek(0) & 0xf);
  const uint16_t total = d.Peek16(2);
  const uint16_t fragment = d.Peek16(6);
  const uint8_t protocol = d.Peek(9);
  const Addresses addresses{Ipv4Address(d.Peek32(12)),
                            Ipv4Address(d.Peek32(16))};
  d.Line("version", Number(d.Peek(0) >> 4));
  d.Line("header length",
         absl::StrCat(d.Peek(0) & 0xf, " words (", header, " bytes)"));
  d.Line("DSCP, ECN", absl::StrCat(d.Peek(1) >> 2, ", ", d.Peek(1) & 3));
  d.Line("total length", Number(total));
  d.Line("identification", Number(d.Peek16(4)));
  d.Line("flags", absl::StrCat((fragment & 0x4000) != 0 ? "DF " : "",
                               (fragment & 0x2000) != 0 ? "MF" : ""));
  d.Line("fragment offset", Number(uint64_t{8} * (fragment & 0x1fff)));
  d.Line("time to live", Number(d.Peek(8)));
  d.Line("protocol", absl::StrCat(protocol, protocol == 1    ? " (ICMP)"
                                            : protocol == 6  ? " (TCP)"
                                            : protocol == 17 ? " (UDP)"
                                                             : ""));
  if (header < 20 || !d.Has(header)) return;
  d.Line("header checksum", Verdict(d.Peek16(10), Sum(d.rest().first(header))));
  d.Line("source address", ToString(addresses.source));
  d.Line("destination address", ToString(addresses.destination));
  if (header > 20) d.Line("options", absl::StrCat(header - 20, " bytes"));
  // Frames are padded to 60 bytes; that is nobody's payload.
  const bool complete =
      total >= header && d.rest().size() >= total && (fragment & 0x3fff) == 0;
  d.Limit(std::max<size_t>(total, header));
  d.Skip(header);
  // Only the first fragment has the header of what it carries.
  const bool first = (fragment & 0x1fff) == 0;
  if (first && protocol == 6) {
    Tcp(d, addresses, complete);
  } else if (first && protocol == 17) {
    Udp(d, addresses, complete);
  } else if (first && protocol == 1) {
    Icmp(d, complete);
  } else {
    Payload(d);
  }
}

void Arp(Decoder& d) {
  d.Layer("ARP");
  if (!d.Has(28)) return;
  const uint16_t operation = d.Peek16(6);
  d.Line("hardware type", Number(d.Peek16(0)));
  d.Line("protocol type", Hex(d.Peek16(2)));
  d.Line("address lengths", absl::StrCat(d.Peek(4), ", ", d.Peek(5)));
  d.Line("operation", absl::StrCat(operation, operation == 1   ? " (request)"
                                              : operation == 2 ? " (reply)"
                                                               : ""));
  d.Line("sender MAC", Mac(d.rest().subspan(8, 6)));
  d.Line("sender address", ToString(Ipv4Address(d.Peek32(14))));
  d.Line("target MAC", Mac(d.rest().subspan(18, 6)));
  d.Line("target address", ToString(Ipv4Address(d.Peek32(24))));
}

const char* EtherTypeName(uint16_t type) {
  if (type == ethernet::kIpv4) return " (IPv4)";
  if (type == ethernet::kArp) return " (ARP)";
  if (type == 0x86dd) return " (IPv6)";
  return type == 0x8100 ? " (802.1Q)" : "";
}

}  // namespace

std::string DecodeFrame(ByteView frame) {
  Decoder d(frame);
  d.Layer("Ethernet");
  if (!d.Has(14)) return d.text();
  d.Line("destination", Mac(d.rest().first(6)));
  d.Line("source", Mac(d.rest().subspan(6, 6)));
  uint16_t type = d.Peek16(12);
  d.Line("EtherType", absl::StrCat(Hex(type), EtherTypeName(type)));
  d.Skip(14);
  if (type == 0x8100 && d.Has(4)) {
    d.Line("VLAN", Number(d.Peek16(0) & 0xfff));
    type = d.Peek16(2);
    d.Line("EtherType", absl::StrCat(Hex(type), EtherTypeName(type)));
    d.Skip(4);
  }
  if (type == ethernet::kIpv4) {
    Ipv4(d);
  } else if (type == ethernet::kArp) {
    Arp(d);
  } else {
    Payload(d);
  }
  return d.text();
}

}  // namespace corelane::inspect
