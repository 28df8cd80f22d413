#include "tests/sim/script.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "proto/tcp/options.h"
#include "tests/sim/scenario.h"
#include "tests/sim/script_config.h"
#include "tests/sim/script_line.h"

namespace corelane::sim {
namespace {

constexpr Duration kTolerance = 1ms;
constexpr Time kStart = kTimeZero + 1000s;

}  // namespace

FlowName FlowNameOf(const TcpText& t, std::optional<Ipv4Address> peer) {
  return {peer.value_or(AddressOf(1, 0)).value(),
          t.peer_port.value_or(kScriptPeerPort),
          t.our_port.value_or(kScriptOurPort)};
}

FlowName TakeFlowName(std::vector<std::string>& words) {
  FlowName name{AddressOf(1, 0).value(), kScriptPeerPort, kScriptOurPort};
  while (words.size() > 2) {
    const std::string& key = words[words.size() - 2];
    const std::string& value = words.back();
    if (key == "port") {
      name.peer_port = static_cast<uint16_t>(Number(value));
    } else if (key == "our_port") {
      name.our_port = static_cast<uint16_t>(Number(value));
    } else if (key == "from") {
      name.peer_address = ParseIpv4(value).value_or(Ipv4Address()).value();
    } else {
      break;
    }
    words.resize(words.size() - 2);
  }
  return name;
}

Script::Script() : config_(ScriptNodeConfig()), now_(kStart) {}

Script::~Script() = default;

// `set NAME VALUE`, in front of everything that has a time.
std::string Script::Configure(const Words& words) {
  if (words.size() != 3) return "set NAME VALUE";
  if (record_ != nullptr) record_->settings.push_back({words[1], words[2]});
  if (node_ != nullptr) return "too late for that";
  if (words[1] == "arp") {
    arp_by_itself_ = words[2] != "manual";
  } else if (words[1] == "peer_isn") {
    peer_isn_ = Number(words[2]);
  } else {
    return SetByName(words[1], words[2], config_);
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
  std::string all_wrong;
  for (std::string line : Words(absl::StrSplit(text, '\n'))) {
    ++number;
    Words words = SplitLine(std::move(line));
    if (words.empty()) continue;
    std::string wrong = RunLine(std::move(words));
    if (wrong.empty()) wrong = broken_;
    if (wrong.empty()) continue;
    absl::StrAppend(&all_wrong, all_wrong.empty() ? "" : "\n  ", "line ",
                    number, ": ", wrong);
    if (!keep_going_) return all_wrong;
  }
  if (!all_wrong.empty()) return all_wrong;
  if (node_ == nullptr) return "nothing happens in this script";
  std::string wrong = Quiet();
  const uint32_t lost = node_->TearDown();
  if (wrong.empty() && lost > 0) wrong = absl::StrCat(lost, " packets lost");
  return wrong.empty() ? "" : absl::StrCat("at the end: ", wrong);
}

// `1.5`, `+.2`, or `+.1~.3`: from one to the other, both after the line before.
Script::When Script::ParseTime(const std::string& text) const {
  const bool relative = text[0] == '+';
  const Time base = relative ? now_ : kStart;
  const Words ends = absl::StrSplit(relative ? text.substr(1) : text, '~');
  const Time from = base + Seconds(ends[0]);
  return {from, ends.size() > 1 ? base + Seconds(ends[1]) : from};
}

std::string Script::RunLine(Words words) {
  if (words[0] == "set") return Configure(words);
  if (node_ == nullptr) Start();
  const When when = ParseTime(words[0]);
  words.erase(words.begin());
  if (words.empty()) return "a time and nothing to do";
  if (when.from < now_ || when.to < when.from) return "time does not go back";
  if (words[0] == ">") {
    words.erase(words.begin());
    return ExpectLine(when, words);
  }
  if (when.to != when.from) return "only what is expected has such a time";
  RunTo(when.from);
  return RunCommand(words);
}

std::string Script::RunCommand(const Words& words) {
  const std::string& command = words[0];
  const bool by_application = command == "app" || command == "bind" ||
                              command == "listen" || command == "unlisten";
  if (by_application) Note(ScriptEvent::Kind::kApplication, {}, words);
  const Words rest(words.begin() + 1, words.end());
  if (command == "<") return Inject(rest);
  if (command == "quiet") return Quiet();
  if (command == "check") return Check(rest);
  if (command == "app") return App(rest);
  if (command == "listen" || command == "unlisten") return Listen(words);
  if (command == "bind") {
    const auto port = static_cast<uint16_t>(Number(words.at(1)));
    return node_->pipeline().udp().Bind({}, port, app_number_).ok()
               ? ""
               : "cannot bind";
  }
  return absl::StrCat("no such command: ", command);
}

std::string Script::Listen(const Words& words) {
  dataplane::TcpLayer& tcp = node_->pipeline().tcp();
  const auto port = static_cast<uint16_t>(words.size() > 1 ? Number(words[1])
                                                           : kScriptOurPort);
  if (words[0] == "unlisten") {
    if (!listeners_.contains(port)) return "nobody listens there";
    tcp.CloseListener(listeners_[port]);
    listeners_.erase(port);
    return "";
  }
  const auto listener = tcp.Listen({}, port, app_number_);
  if (!listener.ok()) return "cannot listen";
  listeners_[port] = *listener;
  return "";
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

void Script::Put(const Frame& frame) {
  Note(ScriptEvent::Kind::kArrives, frame);
  node_->port(0).Deliver(frame);
}

void Script::Deliver(const Frame& frame) {
  Put(frame);
  RunTo(now_);
}

void Script::Note(ScriptEvent::Kind kind, Frame frame, Words words) {
  if (record_ == nullptr) return;
  record_->peer_isn = peer_isn_;
  record_->events.push_back(
      {kind, now_ - kStart, std::move(frame), std::move(words)});
}

void Script::Collect() {
  for (Frame& frame : node_->port(0).TakeSent()) {
    if (arp_by_itself_ && AnswerArp(frame)) continue;
    const ParsedFrame f = ParseFrame(frame);
    if (f.is_tcp) Learn(f);
    Note(ScriptEvent::Kind::kSent, frame);
    sent_.push_back({now_, std::move(frame)});
  }
}

void Script::Learn(const ParsedFrame& f) {
  Flow& flow = flows_[{f.ip.destination.value(), f.tcp.destination_port,
                       f.tcp.source_port}];
  const bool syn = f.tcp.Has(tcp::kSyn);
  if (syn && (!flow.known || flow.iss != f.tcp.seq.value())) {
    flow = Flow{.known = true, .iss = f.tcp.seq.value()};
  }
  const tcp::Options options = tcp::ParseOptions(f.tcp.OptionBytes());
  if (!flow.known || !options.has_timestamps) return;
  if (!flow.has_timestamps) flow.first_timestamp = options.ts_value;
  flow.has_timestamps = true;
  flow.last_timestamp = options.ts_value;
}

// True if it was ARP; any host but the stack is there and answers.
bool Script::AnswerArp(const Frame& frame) {
  const ParsedFrame f = ParseFrame(frame);
  if (!f.is_arp) return false;
  if (f.arp.operation == arp::kRequest && f.arp.target != AddressOf(0, 0)) {
    const Ends ends{MacOf(1, 0), MacOf(0, 0), AddressOf(1, 0), AddressOf(0, 0)};
    node_->port(0).Deliver(ArpFrame(ends, arp::ReplyTo(f.arp, MacOf(1, 0))));
  }
  return true;
}

Script::Flow Script::FlowOf(const FlowName& name) const {
  const auto it = flows_.find(name);
  return it == flows_.end() ? Flow{} : it->second;
}

OptionBases Script::BasesFor(const Flow& flow, uint32_t sequence) const {
  return {.sequence = sequence,
          .timestamp = flow.first_timestamp,
          .last_value = flow.last_timestamp};
}

// ------------------------------------------------------------- expectations

std::string Script::Quiet() {
  if (sent_.empty()) return "";
  return absl::StrCat("sent what was not expected: ",
                      Describe(sent_.front().frame));
}

std::string Script::ExpectLine(const When& when, const Words& words) {
  const bool other = words.empty() || words[0] == "arp" || words[0] == "icmp" ||
                     words[0] == "udp";
  if (other) return ExpectNext(when, nullptr, absl::StrJoin(words, " "));
  TcpText want;
  std::string wrong = ParseTcpLine(words, want);
  for (const TcpText& part : RowOf(want)) {
    if (wrong.empty())
      wrong = ExpectNext(when, &part, absl::StrJoin(words, " "));
  }
  return wrong;
}

// The next frame: what `tcp` says, or else one whose description has `text`.
std::string Script::ExpectNext(const When& when, const TcpText* tcp,
                               const std::string& text) {
  // Runs on only as far as it must: what is expected may come a bit early.
  const Time last = when.to + kTolerance;
  while (sent_.empty() && now_ < last) {
    RunTo(std::min(std::max(now_, node_->Due()), last));
  }
  if (sent_.empty()) {
    return absl::StrCat("nothing was sent; expected ", text);
  }
  const Sent sent = std::move(sent_.front());
  sent_.pop_front();
  if (sent.at + kTolerance < when.from || sent.at > last) {
    const double off =
        static_cast<double>((sent.at - when.from).count()) * 1e-9;
    return absl::StrCat("sent ", off, " s away from when it was expected: ",
                        Describe(sent.frame));
  }
  now_ = std::max(now_, when.to == when.from ? when.from : sent.at);
  if (tcp != nullptr) return ExpectTcp(*tcp, sent.frame);
  const std::string got = Describe(sent.frame);
  return got.find(text) != std::string::npos
             ? ""
             : absl::StrCat("sent \"", got, "\", expected ", text);
}

std::string Script::ExpectTcp(const TcpText& t, const Frame& frame) const {
  const ParsedFrame f = ParseFrame(frame);
  const FlowName name = FlowNameOf(t, t.destination);
  const Flow flow = FlowOf(name);
  const uint32_t base = t.absolute ? 0 : flow.iss;
  const OptionBases bases = BasesFor(flow, peer_isn_);
  const bool good =
      f.is_tcp && f.tcp.flags() == t.flags &&
      f.tcp.seq.value() == base + t.seq && f.payload.size() == t.length &&
      (!t.ack || f.tcp.ack.value() == peer_isn_ + *t.ack) &&
      (!t.window || f.tcp.window == *t.window) &&
      f.ip.destination.value() == name.peer_address &&
      f.ip.source == t.source.value_or(AddressOf(0, 0)) &&
      f.tcp.destination_port == name.peer_port &&
      f.tcp.source_port == name.our_port && (!t.tos || f.ip.tos == *t.tos) &&
      (!t.ttl || f.ip.ttl == *t.ttl) && (!t.ecn || (f.ip.tos & 3) == *t.ecn) &&
      (!t.has_options || OptionsMatch(t.options, f.tcp.OptionBytes(), bases));
  if (!good) {
    return absl::StrCat(
        "sent \"", Describe(frame), "\", that is seq ",
        f.tcp.seq.value() - flow.iss, " ack ", f.tcp.ack.value() - peer_isn_,
        f.is_tcp ? DescribeOptions(f.tcp.OptionBytes(), bases) : "", " tos ",
        f.ip.tos, " ttl ", f.ip.ttl, ", which is not what was expected");
  }
  for (uint32_t i = 0; i < t.length; ++i) {
    if (f.payload[i] != ScriptByte(t.seq + i - 1)) return "wrong bytes sent";
  }
  return "";
}

}  // namespace corelane::sim
