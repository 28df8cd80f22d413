// A whole stack against an arbitrary peer. The input is a list of commands:
// frames of every kind, most of them with good checksums and with numbers taken
// from a live connection, so that they get deep; time that passes; and an
// application that also connects, sends and closes by itself. After every turn
// all invariants hold, and in the end every packet is back.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "tests/sim/frames.h"
#include "tests/sim/node.h"
#include "tests/sim/oracle.h"
#include "tests/sim/scenario.h"
#include "tests/sim/script_app.h"

namespace corelane::sim {
namespace {

constexpr uint16_t kOurPort = 80;
constexpr uint32_t kMaxCommands = 400;

// The input, byte by byte; zeros when it has ended.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : bytes_(data, size) {}

  bool done() const { return bytes_.empty(); }
  uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const uint8_t b = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return b;
  }
  uint16_t Short() {
    const uint16_t high = Byte();
    return static_cast<uint16_t>(high << 8 | Byte());
  }
  std::vector<uint8_t> Bytes(size_t n) {
    n = std::min(n, bytes_.size());
    std::vector<uint8_t> out(bytes_.begin(),
                             bytes_.begin() + static_cast<ptrdiff_t>(n));
    bytes_ = bytes_.subspan(n);
    return out;
  }

 private:
  ByteView bytes_;
};

class Fuzz {
 public:
  explicit Fuzz(Input input) : in_(input), now_(kTimeZero + 4294s) { Build(); }

  void Run();

 private:
  void Build();
  void Command();
  void Segment(uint8_t how);
  void Handshake();
  void Datagram();
  void Fragment();
  void Icmp();
  void Arp();
  void Raw(uint8_t how);
  void Act(uint8_t what);
  void Pass(Duration time);
  void Deliver(const Frame& frame);
  void Turn();
  const tcp::ControlBlock* Pick(uint8_t which) const;
  [[noreturn]] void Die(const std::string& why) const;

  Ends ends() const {
    return {MacOf(1, 0), MacOf(0, 0), AddressOf(1, 0), AddressOf(0, 0)};
  }

  Input in_;
  Time now_;
  std::unique_ptr<Node> node_;
  ScriptApp* app_ = nullptr;
  uint16_t app_number_ = 0;
  Oracle oracle_;
  uint32_t turns_ = 0;
};

void Fuzz::Die(const std::string& why) const {
  std::fprintf(stderr, "pipeline_fuzz: %s%s\n", why.c_str(),
               Oracle::Describe(*node_).c_str());
  std::abort();
}

void Fuzz::Build() {
  NodeConfig c;
  dataplane::InterfaceConfig interface;
  interface.name = "sim0";
  interface.mac = MacOf(0, 0);
  interface.addresses = {{AddressOf(0, 0), 24}};
  c.pipeline.interfaces.push_back(interface);
  c.pipeline.secrets = dataplane::Secrets::FromSeed(1);
  c.pipeline.limits = {8, 4, 4, 8, 4};
  c.pipeline.arp.limits.capacity = 16;
  c.pipeline.arp.announcer.probe = false;
  c.pipeline.tcp.receive_buffer = 8192;
  c.pipeline.tcp.send_buffer = 8192;
  c.packets = 512;
  c.poison = true;
  // The first byte changes what the host is like.
  const uint8_t kind = in_.Byte();
  if ((kind & 1) != 0) c.port.tx_hold = 8;
  if ((kind & 2) != 0) c.port.rx_segment = 100;
  if ((kind & 4) != 0) c.port.rx_checksum = true;
  if ((kind & 8) != 0) c.pipeline.tcp.receive_buffer = 600;
  if ((kind & 16) != 0) c.pipeline.interfaces[0].mtu = 300;
  if ((kind & 32) != 0) c.pipeline.tcp.nodelay = true;
  node_ = std::make_unique<Node>(c, now_);
  auto app = std::make_unique<ScriptApp>();
  app_ = app.get();
  app_->set_reading((kind & 64) == 0 ? sim::ScriptApp::Reading::kEcho
                                     : sim::ScriptApp::Reading::kWhenTold);
  app_number_ = node_->Add(std::move(app));
  if (!node_->pipeline().tcp().Listen({}, kOurPort, app_number_).ok() ||
      !node_->pipeline().udp().Bind({}, kOurPort, app_number_).ok()) {
    Die("cannot listen");
  }
}

void Fuzz::Turn() {
  node_->Poll(now_);
  ++turns_;
  const std::string wrong = oracle_.Check(*node_);
  if (!wrong.empty()) Die(wrong);
  const std::vector<Frame> sent = node_->port(0).TakeSent();
  if (node_->port(0).problem() != nullptr) {
    std::string text = node_->port(0).problem();
    for (const Frame& frame : sent) text += "\n  " + Describe(frame);
    Die(text);
  }
  if (node_->heap().problem() != nullptr) Die(node_->heap().problem());
  // The peer answers ARP, or hardly anything would ever be sent.
  for (const Frame& frame : sent) {
    const ParsedFrame f = ParseFrame(frame);
    if (f.is_arp && f.arp.operation == arp::kRequest &&
        f.arp.target == AddressOf(1, 0)) {
      node_->port(0).Deliver(
          ArpFrame(ends(), arp::ReplyTo(f.arp, MacOf(1, 0))));
    }
  }
}

void Fuzz::Pass(Duration time) {
  const Time until = now_ + time;
  // A host may be busy, but not for ever at one time.
  uint32_t turns = 0;
  while (node_->Due() <= until) {
    const Time due = std::max(now_, node_->Due());
    turns = due > now_ ? 0 : turns + 1;
    if (turns > 2'000) Die("time stands still");
    now_ = due;
    Turn();
  }
  now_ = until;
  node_->pipeline().BeginTurn(now_);
}

void Fuzz::Deliver(const Frame& frame) {
  node_->port(0).Deliver(frame);
  Pass(0s);
}

const tcp::ControlBlock* Fuzz::Pick(uint8_t which) const {
  const auto& blocks = node_->pipeline().tcp().blocks();
  if (blocks.high_water() == 0) return nullptr;
  const uint32_t start = which % blocks.high_water();
  for (uint32_t i = 0; i < blocks.high_water(); ++i) {
    const auto& cb = blocks[(start + i) % blocks.high_water()];
    if (cb.generation != 0) return &cb;
  }
  return nullptr;
}

// A segment for a live connection, near what it expects.
void Fuzz::Segment(uint8_t how) {
  TcpFields f;
  f.source_port = static_cast<uint16_t>(1000 + in_.Byte() % 4);
  f.destination_port = kOurPort;
  f.flags = in_.Byte();
  const auto delta = static_cast<int16_t>(in_.Short());
  f.window = in_.Short();
  const tcp::ControlBlock* cb = Pick(how);
  if (cb != nullptr && (how & 0x80) == 0) {
    f.source_port = cb->key.remote_port;
    f.destination_port = cb->key.local_port;
    // Half of them exactly in order, the others some way off.
    f.seq = cb->rcv_nxt.value();
    if ((how & 0x40) != 0) f.seq += static_cast<uint32_t>(int32_t{delta});
    f.ack = (how & 0x20) != 0 ? cb->snd_una.value() : cb->snd_nxt.value();
    if ((how & 0x10) != 0) f.ack += static_cast<uint32_t>(int32_t{delta});
    if ((how & 0x08) == 0) f.flags = tcp::kAck | (f.flags & tcp::kFin);
  } else {
    f.seq = static_cast<uint32_t>(int32_t{delta});
  }
  const uint8_t shape = in_.Byte();
  if ((shape & 0x80) != 0) f.options = in_.Bytes(shape & 0x1f);
  f.payload.assign(size_t{4} * (shape & 0x7f) * ((how & 1) + 1), 0x62);
  f.urgent = static_cast<uint16_t>(delta);
  Deliver(TcpFrame(ends(), f));
}

void Fuzz::Handshake() {
  TcpFields f;
  f.source_port = static_cast<uint16_t>(1000 + in_.Byte() % 4);
  f.destination_port = kOurPort;
  f.seq = uint32_t{in_.Byte()} << 24 | 0xff'ff00;
  f.flags = tcp::kSyn;
  f.options = {2, 4, 5, 0xb4, 3, 3, in_.Byte(), 1};
  Deliver(TcpFrame(ends(), f));
  const auto& requests = node_->pipeline().tcp().requests();
  for (uint32_t i = 0; i < requests.high_water(); ++i) {
    if (requests[i].in_use == 0 ||
        requests[i].key.remote_port != f.source_port) {
      continue;
    }
    f.seq = requests[i].irs.value() + 1;
    f.ack = requests[i].iss.value() + 1;
    f.flags = tcp::kAck;
    f.options.clear();
    Deliver(TcpFrame(ends(), f));
    return;
  }
}

void Fuzz::Datagram() {
  const uint16_t port = (in_.Byte() & 1) != 0 ? kOurPort : 9;
  Deliver(UdpFrame(ends(), in_.Short(), port, in_.Bytes(in_.Byte())));
}

void Fuzz::Fragment() {
  ipv4::Header h;
  static constexpr uint8_t kProtocols[] = {ipv4::kUdp, ipv4::kIcmp, ipv4::kTcp,
                                           4};
  const uint8_t what = in_.Byte();
  h.protocol = kProtocols[what & 3];
  h.more_fragments = (what & 4) != 0;
  h.id = what >> 4;
  const uint16_t offset = in_.Short();
  h.fragment_offset = static_cast<uint16_t>(
      ((what & 8) != 0 ? offset % 64 : offset % 8192) * 8);
  Deliver(Ipv4Frame(ends(), h, in_.Bytes(in_.Byte())));
}

// Errors quote a segment of a live connection, or whatever the input says.
void Fuzz::Icmp() {
  std::vector<uint8_t> message = in_.Bytes(8);
  message.resize(8);
  const uint8_t which = in_.Byte();
  const tcp::ControlBlock* cb = Pick(which);
  if (cb != nullptr && (which & 0x80) == 0) {
    TcpFields f;
    f.source_port = cb->key.local_port;
    f.destination_port = cb->key.remote_port;
    f.seq = cb->snd_una.value() + (which & 0x0f);
    const Frame quoted = TcpFrame(ends().Reversed(), f);
    message.insert(message.end(), quoted.begin() + ethernet::kHeaderLength,
                   quoted.end());
  } else {
    const std::vector<uint8_t> rest = in_.Bytes(which);
    message.insert(message.end(), rest.begin(), rest.end());
  }
  Deliver(IcmpFrame(ends(), std::move(message)));
}

void Fuzz::Arp() {
  const uint8_t what = in_.Byte();
  arp::Packet p;
  p.operation = (what & 1) != 0 ? arp::kRequest : arp::kReply;
  p.sender = Ipv4Address(10, 0, 0, what >> 4);
  p.target = Ipv4Address(10, 0, 0, what >> 1 & 7);
  p.sender_mac = MacOf(1, in_.Byte() & 3);
  p.target_mac = MacOf(0, 0);
  Deliver(ArpFrame(ends(), p));
}

// Any bytes, behind a good Ethernet header or not.
void Fuzz::Raw(uint8_t how) {
  Frame frame = in_.Bytes(in_.Byte());
  if ((how & 1) != 0) {
    frame = EthernetFrame(
        ends(), (how & 2) != 0 ? ethernet::kIpv4 : ethernet::kArp, frame);
    if ((how & 4) != 0 && frame.size() >= 34) {
      // Addresses that get it past the first checks.
      StoreBe32(frame.data() + 26, AddressOf(1, 0).value());
      StoreBe32(frame.data() + 30, AddressOf(0, 0).value());
      FixChecksums(frame);
    }
  }
  Deliver(frame);
}

// What the application does by itself.
void Fuzz::Act(uint8_t what) {
  dataplane::TcpLayer& tcp = node_->pipeline().tcp();
  const tcp::ControlBlock* cb = Pick(what);
  if ((what & 7) == 0 || cb == nullptr) {
    // Refused when all are in use, and that is all right.
    (void)tcp.Connect(AddressOf(1, 0), static_cast<uint16_t>(1000 + what % 8),
                      app_number_);
    return;
  }
  // One that is orphaned or about to be reported as gone is no longer ours.
  if (cb->Has(tcp::kOrphan | tcp::kDetached) ||
      cb->state == tcp::State::kClosed) {
    return;
  }
  dataplane::Connection c(&tcp, static_cast<uint32_t>(cb - &tcp.blocks()[0]));
  static const std::vector<uint8_t> kBytes(4000, 0x63);
  switch (what & 7) {
    case 1:
      c.Send(ByteView(kBytes).first(size_t{16} * in_.Byte() / 2));
      break;
    case 2:
      c.SendStatic(ByteView(kBytes).first(size_t{16} * in_.Byte() / 2));
      break;
    case 3:
      c.Consume(std::min<uint32_t>(c.readable(), in_.Short()));
      break;
    case 4:
      c.ShutdownSend();
      break;
    case 5:
      c.Close();
      break;
    case 6:
      c.Abort();
      break;
    default:
      c.SetTimer(Duration(int64_t{in_.Byte()} * 1'000'000));
      break;
  }
}

void Fuzz::Command() {
  const uint8_t b = in_.Byte();
  const uint8_t how = in_.Byte();
  switch (b % 16) {
    case 0:
      Pass(Duration(int64_t{how} * 2'000'000));
      break;
    case 1:
      Pass(Duration(int64_t{how} * 1'000'000'000));
      break;
    case 2:
      Datagram();
      break;
    case 3:
      Fragment();
      break;
    case 4:
      Icmp();
      break;
    case 5:
      Arp();
      break;
    case 6:
      Raw(how);
      break;
    case 7:
    case 8:
      Act(how);
      Pass(0s);
      break;
    case 9:
      Handshake();
      break;
    case 10:
      node_->heap().set_failing((how & 1) != 0);
      break;
    default:
      Segment(how);
  }
}

void Fuzz::Run() {
  for (uint32_t i = 0; i < kMaxCommands && !in_.done(); ++i) Command();
  node_->heap().set_failing(false);
  Pass(5s);
  const uint32_t lost = node_->TearDown();
  if (lost > 0) {
    std::fprintf(stderr, "pipeline_fuzz: %u packets lost\n", lost);
    std::abort();
  }
}

}  // namespace
}  // namespace corelane::sim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  corelane::sim::Fuzz(corelane::sim::Input(data, size)).Run();
  return 0;
}
