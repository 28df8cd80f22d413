// What a script's lines put on the wire.
#include "proto/base/bytes.h"
#include "tests/sim/scenario.h"
#include "tests/sim/script.h"
#include "tests/sim/script_line.h"

namespace corelane::sim {
namespace {

Ends PeerToUs() {
  return {MacOf(1, 0), MacOf(0, 0), AddressOf(1, 0), AddressOf(0, 0)};
}

}  // namespace

std::string Script::Inject(const Words& words) {
  if (words.empty()) return "inject what?";
  if (words[0] == "icmp") return InjectIcmp(words);
  if (words[0] == "arp") return InjectArp(words);
  if (words[0] == "udp") return InjectUdp(words);
  if (words[0] == "frame") {
    Frame frame;
    if (!ParseHex(words.at(1), frame)) return "not hexadecimal";
    Deliver(frame);
    return "";
  }
  return InjectTcp(words);
}

std::string Script::InjectTcp(const Words& words) {
  TcpText line;
  std::string wrong = ParseTcpLine(words, line);
  if (!wrong.empty()) return wrong;
  // A row arrives in one burst.
  for (const TcpText& part : RowOf(line)) {
    Put(BuildTcp(part));
  }
  RunTo(now_);
  return "";
}

Frame Script::BuildTcp(const TcpText& t) const {
  const FlowName name = FlowNameOf(t, t.source);
  const Flow flow = FlowOf(name);
  OptionBases bases = BasesFor(flow, flow.iss);
  // A first SYN has nothing to echo (RFC 7323 section 3.2).
  bases.echoes = (t.flags & (tcp::kSyn | tcp::kAck)) != tcp::kSyn;
  TcpFields f;
  f.source_port = name.peer_port;
  f.destination_port = name.our_port;
  f.seq = peer_isn_ + t.seq;
  f.ack = t.ack ? flow.iss + *t.ack : 0;
  f.flags = t.flags;
  f.window = t.window.value_or(65535);
  f.urgent = t.urgent;
  f.tos = static_cast<uint8_t>(t.tos.value_or(0) | t.ecn.value_or(0));
  f.ttl = t.ttl.value_or(f.ttl);
  f.options = OptionBytesOf(t.options, bases);
  for (uint32_t i = 0; i < t.length; ++i) {
    // The SYN is number 0, so the stream starts at 1.
    f.payload.push_back(ScriptByte(t.seq + i - 1));
  }
  Ends ends = PeerToUs();
  if (t.source) ends.source = *t.source;
  if (t.destination) ends.destination = *t.destination;
  if (t.broadcast) ends.destination_mac = MacAddress::Broadcast();
  Frame frame = TcpFrame(ends, f);
  ApplyDamage(t, frame);
  return frame;
}

// `icmp echo LENGTH`; or `icmp TYPE CODE REST about SEQ`: an error that quotes
// a segment of ours with that (relative) sequence number.
std::string Script::InjectIcmp(const Words& words) {
  if (words.size() == 3 && words[1] == "echo") {
    std::vector<uint8_t> message(8 + Number(words[2]), 0x61);
    message[0] = 8;
    message[1] = 0;
    StoreBe32(message.data() + 4, 0x00010001);
    Deliver(IcmpFrame(PeerToUs(), std::move(message)));
    return "";
  }
  if (words.size() < 6 || words[4] != "about") {
    return "icmp echo LENGTH, or icmp TYPE CODE REST about SEQ [port N]";
  }
  Words about = words;
  const FlowName name = TakeFlowName(about);
  TcpFields quoted;
  quoted.source_port = name.our_port;
  quoted.destination_port = name.peer_port;
  quoted.seq = FlowOf(name).iss + Number(words[5]);
  quoted.flags = tcp::kAck;
  const Frame inner = TcpFrame(PeerToUs().Reversed(), quoted);
  std::vector<uint8_t> message(8);
  message[0] = static_cast<uint8_t>(Number(words[1]));
  message[1] = static_cast<uint8_t>(Number(words[2]));
  StoreBe32(message.data() + 4, Number(words[3]));
  message.insert(message.end(), inner.begin() + ethernet::kHeaderLength,
                 inner.begin() + ethernet::kHeaderLength + 28);
  Deliver(IcmpFrame(PeerToUs(), std::move(message)));
  return "";
}

// `arp request|reply TARGET tell SENDER [mac MAC]`
std::string Script::InjectArp(const Words& words) {
  arp::Packet p;
  const bool shaped = words.size() >= 5 && words[3] == "tell";
  const auto target = shaped ? ParseIpv4(words[2]) : std::nullopt;
  const auto sender = shaped ? ParseIpv4(words[4]) : std::nullopt;
  if (!target || !sender) return "arp request|reply TARGET tell SENDER";
  p.operation = words[1] == "request" ? arp::kRequest : arp::kReply;
  p.target = *target;
  p.sender = *sender;
  p.sender_mac = MacOf(1, 0);
  if (words.size() == 7) {
    const auto mac = ParseMac(words[6]);
    if (!mac) return "not a MAC address";
    p.sender_mac = *mac;
  }
  Ends ends = PeerToUs();
  ends.source_mac = p.sender_mac;
  if (p.operation == arp::kRequest) {
    ends.destination_mac = MacAddress::Broadcast();
  } else {
    p.target_mac = MacOf(0, 0);
  }
  Deliver(ArpFrame(ends, p));
  return "";
}

// `udp PORT LENGTH [bad_sum|no_sum] [to ADDRESS] [broadcast]`
std::string Script::InjectUdp(const Words& words) {
  if (words.size() < 3) return "udp PORT LENGTH";
  TcpText text;
  std::string wrong = ParseModifiers(words, 3, text);
  if (!wrong.empty()) return wrong;
  Ends ends = PeerToUs();
  if (text.source) ends.source = *text.source;
  if (text.destination) ends.destination = *text.destination;
  if (text.broadcast) ends.destination_mac = MacAddress::Broadcast();
  Frame frame =
      UdpFrame(ends, kScriptPeerPort, static_cast<uint16_t>(Number(words[1])),
               std::vector<uint8_t>(Number(words[2]), 0x75));
  ApplyDamage(text, frame);
  Deliver(frame);
  return "";
}

}  // namespace corelane::sim
