#include "tests/sim/script.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/sim/scenario.h"
#include "tests/sim/script_line.h"

namespace corelane::sim {
namespace {

constexpr Duration kTolerance = 1ms;
constexpr uint16_t kOurPort = 80;
constexpr uint16_t kPeerPort = 5000;

Duration Seconds(const std::string& text) {
  double seconds = 0;
  (void)absl::SimpleAtod(text, &seconds);
  return Duration(std::llround(seconds * 1e9));
}

uint32_t Number(const std::string& text) {
  return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 0));
}

Ends PeerToUs() {
  return {MacOf(1, 0), MacOf(0, 0), AddressOf(1, 0), AddressOf(0, 0)};
}

}  // namespace

Script::Script() : now_(kTimeZero + 1000s) {
  dataplane::InterfaceConfig interface;
  interface.name = "sim0";
  interface.mac = MacOf(0, 0);
  interface.addresses = {{AddressOf(0, 0), 24}};
  config_.pipeline.interfaces.push_back(interface);
  config_.pipeline.secrets = dataplane::Secrets::FromSeed(1);
  config_.pipeline.limits = {16, 16, 16, 64, 16};
  config_.pipeline.arp.limits.capacity = 64;
  config_.pipeline.arp.announcer.probe = false;
  config_.packets = 2048;
  config_.poison = true;
}

Script::~Script() = default;

// `set NAME VALUE`, in front of everything that has a time.
std::string Script::Configure(const Words& words) {
  if (words.size() != 3) return "set NAME VALUE";
  const std::string& name = words[1];
  const std::string& value = words[2];
  tcp::Config& tcp = config_.pipeline.tcp;
  if (node_ != nullptr) return "too late for that";
  if (name == "receive_buffer") {
    tcp.receive_buffer = Number(value);
  } else if (name == "send_buffer") {
    tcp.send_buffer = Number(value);
  } else if (name == "nodelay") {
    tcp.nodelay = value == "on";
  } else if (name == "mtu") {
    config_.pipeline.interfaces[0].mtu = static_cast<uint16_t>(Number(value));
  } else if (name == "max_retransmits") {
    tcp.max_retransmits = static_cast<uint8_t>(Number(value));
  } else if (name == "max_syn_retransmits") {
    tcp.max_syn_retransmits = static_cast<uint8_t>(Number(value));
  } else if (name == "max_synack_retransmits") {
    tcp.max_synack_retransmits = static_cast<uint8_t>(Number(value));
  } else if (name == "time_wait") {
    tcp.time_wait = Seconds(value);
  } else if (name == "fin_wait2") {
    tcp.fin_wait2 = Seconds(value);
  } else if (name == "backlog") {
    config_.pipeline.limits.backlog = Number(value);
  } else if (name == "max_connections") {
    config_.pipeline.limits.max_connections = Number(value);
  } else if (name == "rx_checksum") {
    config_.port.rx_checksum = value == "on";
  } else if (name == "arp") {
    arp_by_itself_ = value != "manual";
  } else if (name == "probe") {
    config_.pipeline.arp.announcer.probe = value == "on";
  } else if (name == "peer_isn") {
    peer_isn_ = Number(value);
  } else {
    return absl::StrCat("nothing is called ", name);
  }
  return "";
}

void Script::Start() {
  node_ = std::make_unique<Node>(config_, now_);
  auto app = std::make_unique<ScriptApp>();
  app_ = app.get();
  app_number_ = node_->Add(std::move(app));
  Poll();
  RunTo(now_);
}

std::string Script::Run(const std::string& text) {
  int number = 0;
  for (std::string line : Words(absl::StrSplit(text, '\n'))) {
    ++number;
    line.resize(std::min(line.find('#'), line.size()));
    Words words =
        absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty()) continue;
    std::string wrong = RunLine(std::move(words));
    if (wrong.empty()) wrong = broken_;
    if (!wrong.empty()) {
      return absl::StrCat("line ", number, ": ", wrong);
    }
  }
  if (node_ == nullptr) return "nothing happens in this script";
  std::string wrong = Quiet();
  const uint32_t lost = node_->TearDown();
  if (wrong.empty() && lost > 0) wrong = absl::StrCat(lost, " packets lost");
  return wrong.empty() ? "" : absl::StrCat("at the end: ", wrong);
}

std::string Script::RunLine(Words words) {
  if (words[0] == "set") return Configure(words);
  if (node_ == nullptr) Start();
  const bool relative = words[0][0] == '+';
  const Duration time = Seconds(relative ? words[0].substr(1) : words[0]);
  const Time at = relative ? now_ + time : kTimeZero + 1000s + time;
  words.erase(words.begin());
  if (words.empty()) return "a time and nothing to do";
  const std::string command = words[0];
  words.erase(words.begin());
  if (at < now_) return "time does not go back";
  if (command == ">") {
    // Runs on only as far as it must: what is expected may come a bit early.
    while (sent_.empty() && now_ < at + kTolerance) {
      RunTo(std::min(std::max(now_, node_->Due()), at + kTolerance));
    }
    if (!sent_.empty() && (sent_.front().at + kTolerance < at ||
                           sent_.front().at > at + kTolerance)) {
      const double off =
          static_cast<double>((sent_.front().at - at).count()) * 1e-9;
      return absl::StrCat("sent ", off, " s away from when it was expected: ",
                          Describe(sent_.front().frame));
    }
    now_ = std::max(now_, at);
    return Expect(words);
  }
  RunTo(at);
  if (command == "<") return Inject(words);
  if (command == "quiet") return Quiet();
  if (command == "check") return Check(words);
  if (command == "app") return App(words);
  if (command == "listen") {
    const auto port =
        static_cast<uint16_t>(words.empty() ? kOurPort : Number(words[0]));
    return node_->pipeline().tcp().Listen({}, port, app_number_).ok()
               ? ""
               : "cannot listen";
  }
  if (command == "bind") {
    const auto port = static_cast<uint16_t>(Number(words.at(0)));
    return node_->pipeline().udp().Bind({}, port, app_number_).ok()
               ? ""
               : "cannot bind";
  }
  return absl::StrCat("no such command: ", command);
}

// -------------------------------------------------------------- the machine

void Script::Poll() {
  node_->Poll(now_);
  if (broken_.empty()) broken_ = oracle_.Check(*node_);
  if (broken_.empty() && node_->port(0).problem() != nullptr) {
    broken_ = node_->port(0).problem();
  }
  Collect();
}

void Script::RunTo(Time until) {
  while (node_->Due() <= until) {
    now_ = std::max(now_, node_->Due());
    Poll();
  }
  now_ = std::max(now_, until);
  node_->pipeline().BeginTurn(now_);
}

void Script::Deliver(const Frame& frame) {
  node_->port(0).Deliver(frame);
  RunTo(now_);
}

void Script::Collect() {
  for (Frame& frame : node_->port(0).TakeSent()) {
    if (arp_by_itself_ && AnswerArp(frame)) continue;
    const ParsedFrame f = ParseFrame(frame);
    if (f.is_tcp && f.tcp.Has(tcp::kSyn)) iss_ = f.tcp.seq.value();
    sent_.push_back({now_, std::move(frame)});
  }
}

// True if it was ARP; any host but the stack is there and answers.
bool Script::AnswerArp(const Frame& frame) {
  const ParsedFrame f = ParseFrame(frame);
  if (!f.is_arp) return false;
  if (f.arp.operation == arp::kRequest && f.arp.target != AddressOf(0, 0)) {
    node_->port(0).Deliver(
        ArpFrame(PeerToUs(), arp::ReplyTo(f.arp, MacOf(1, 0))));
  }
  return true;
}

// ------------------------------------------------------------------- frames

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
  if (wrong.empty()) Deliver(BuildTcp(line));
  return wrong;
}

Frame Script::BuildTcp(const TcpText& t) const {
  TcpFields f;
  f.source_port = t.peer_port.value_or(kPeerPort);
  f.destination_port = t.our_port.value_or(kOurPort);
  f.seq = peer_isn_ + t.seq;
  f.ack = t.ack ? iss_ + *t.ack : 0;
  f.flags = t.flags;
  f.window = t.window.value_or(65535);
  f.urgent = t.urgent;
  f.options = t.options;
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
    return "icmp echo LENGTH, or icmp TYPE CODE REST about SEQ [port PORT]";
  }
  TcpFields quoted;
  quoted.source_port = kOurPort;
  quoted.destination_port = kPeerPort;
  if (words.size() == 8) {
    quoted.destination_port = static_cast<uint16_t>(Number(words[7]));
  }
  quoted.seq = iss_ + Number(words[5]);
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
      UdpFrame(ends, kPeerPort, static_cast<uint16_t>(Number(words[1])),
               std::vector<uint8_t>(Number(words[2]), 0x75));
  ApplyDamage(text, frame);
  Deliver(frame);
  return "";
}

// ------------------------------------------------------------- expectations

std::string Script::Quiet() {
  if (sent_.empty()) return "";
  return absl::StrCat("sent what was not expected: ",
                      Describe(sent_.front().frame));
}

std::string Script::Expect(const Words& words) {
  if (sent_.empty()) {
    return absl::StrCat("nothing was sent; expected ",
                        absl::StrJoin(words, " "));
  }
  const Frame frame = std::move(sent_.front().frame);
  sent_.pop_front();
  const bool other = words.empty() || words[0] == "arp" || words[0] == "icmp" ||
                     words[0] == "udp";
  if (other) {
    const std::string want = absl::StrJoin(words, " ");
    const std::string got = Describe(frame);
    return absl::StrContains(got, want)
               ? ""
               : absl::StrCat("sent \"", got, "\", expected ", want);
  }
  TcpText want;
  std::string wrong = ParseTcpLine(words, want);
  return wrong.empty() ? ExpectTcp(want, frame) : wrong;
}

std::string Script::ExpectTcp(const TcpText& t, const Frame& frame) const {
  const ParsedFrame f = ParseFrame(frame);
  const uint32_t base = t.absolute ? 0 : iss_;
  const bool good =
      f.is_tcp && f.tcp.flags() == t.flags &&
      f.tcp.seq.value() == base + t.seq && f.payload.size() == t.length &&
      (!t.ack || f.tcp.ack.value() == peer_isn_ + *t.ack) &&
      (!t.window || f.tcp.window == *t.window) &&
      f.tcp.destination_port == t.peer_port.value_or(kPeerPort) &&
      f.tcp.source_port == t.our_port.value_or(kOurPort) &&
      (t.options.empty() ||
       std::equal(t.options.begin(), t.options.end(),
                  f.tcp.OptionBytes().begin(), f.tcp.OptionBytes().end()));
  if (!good) {
    return absl::StrCat("sent \"", Describe(frame), "\", that is seq ",
                        f.tcp.seq.value() - iss_, " ack ",
                        f.tcp.ack.value() - peer_isn_,
                        ", which is not what was expected");
  }
  for (uint32_t i = 0; i < t.length; ++i) {
    if (f.payload[i] != ScriptByte(t.seq + i - 1)) return "wrong bytes sent";
  }
  return "";
}

// --------------------------------------------------------- the application

std::string Script::App(const Words& words) {
  if (words.empty()) return "app does what?";
  const std::string& what = words[0];
  const uint32_t n = words.size() > 1 ? Number(words[1]) : 0;
  dataplane::Connection c = app_->connection();
  std::string wrong;
  if (what == "send") {
    const uint32_t taken = app_->Send(n);
    const uint32_t want = words.size() > 2 ? Number(words[2]) : n;
    if (taken != want) wrong = absl::StrCat("only ", taken, " were taken");
  } else if (what == "read") {
    if (!app_->Read(n)) {
      wrong = absl::StrCat("cannot read that; there are ", c.readable());
    }
  } else if (what == "echo") {
    app_->set_echo(true);
  } else if (what == "shutdown") {
    c.ShutdownSend();
  } else if (what == "close") {
    c.Close();
  } else if (what == "abort") {
    c.Abort();
  } else if (what == "nodelay") {
    c.SetNoDelay(true);
  } else if (what == "timer") {
    c.SetTimer(Seconds(words.at(1)));
  } else if (what == "connect") {
    auto connection = node_->pipeline().tcp().Connect(
        AddressOf(1, 0), kPeerPort, app_number_, Ipv4Address(), kOurPort);
    if (!connection.ok()) return connection.status().ToString();
    app_->set_connection(*connection);
  } else {
    return absl::StrCat("no such action: ", what);
  }
  RunTo(now_);
  return wrong;
}

const tcp::ControlBlock* Script::Block() const {
  const auto& blocks = node_->pipeline().tcp().blocks();
  for (uint32_t i = 0; i < blocks.high_water(); ++i) {
    if (blocks[i].generation != 0) return &blocks[i];
  }
  return nullptr;
}

std::string Script::Check(const Words& words) {
  if (words.size() < 2) return "check what?";
  const std::string& what = words[0];
  const dataplane::Pipeline& pipeline = node_->pipeline();
  std::string want = words[1];
  std::string got;
  if (what == "state") {
    const tcp::ControlBlock* cb = Block();
    got = cb == nullptr ? "none" : tcp::StateName(cb->state);
  } else if (what == "readable") {
    got = absl::StrCat(app_->connection().readable());
  } else if (what == "events") {
    want = absl::StrJoin(words.begin() + 1, words.end(), " ");
    got = app_->TakeEvents();
  } else if (what == "error") {
    got = absl::StrCat(static_cast<int>(app_->error()));
  } else if (what == "datagrams") {
    got = absl::StrCat(app_->datagrams());
  } else if (what == "datagram_errors") {
    got = absl::StrCat(app_->datagram_errors());
  } else if (what == "mss") {
    got = absl::StrCat(Block() == nullptr ? 0 : Block()->mss);
  } else if (what == "time_waits") {
    got = absl::StrCat(pipeline.tcp().time_waits().in_use());
  } else if (what == "requests") {
    got = absl::StrCat(pipeline.tcp().requests().in_use());
  } else if (words.size() == 3) {
    want = words[2];
    if (!CounterValue(pipeline.core().counters, what, words[1], got)) {
      return "no such counter";
    }
  } else {
    return absl::StrCat("cannot check ", what);
  }
  return got == want ? ""
                     : absl::StrCat(what, " is ", got, ", expected ", want);
}

}  // namespace corelane::sim
