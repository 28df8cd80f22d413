#include "tests/packetdrill/stack.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "tests/packetdrill/segments.h"
#include "tests/packetdrill/sysctls.h"
#include "tests/sim/frames.h"

namespace corelane::packetdrill {
namespace {

constexpr MacAddress kOurMac{{0x02, 0, 0, 0, 0, 1}};
constexpr MacAddress kPeerMac{{0x02, 0, 0, 0, 0, 2}};
// Longer than this, nothing will come of it.
constexpr Duration kLongestWait = 10min;

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "corelane_packetdrill: %s\n", what);
  std::abort();
}

dataplane::PipelineConfig ConfigOf(const StackFlags& flags) {
  dataplane::PipelineConfig config;
  dataplane::InterfaceConfig interface;
  interface.name = "packetdrill0";
  interface.mac = kOurMac;
  interface.mtu = flags.mtu;
  interface.addresses = {flags.local};
  config.interfaces.push_back(interface);
  config.routes.push_back({{Ipv4Address(), 0}, flags.gateway});
  config.secrets = dataplane::Secrets::FromSeed(1);
  config.arp.announcer.probe = false;
  // The host locks all memory that is mapped: keep it small.
  config.arp.limits.capacity = 64;
  config.limits = {1024, 256, 256, 256, 256};
  config.tcp = ConfigOfSysctls();
  return config;
}

}  // namespace

bool StackFlags::Parse(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    const size_t equals = word.find('=');
    const std::string value =
        equals == std::string::npos ? "" : word.substr(equals + 1);
    const std::string name = word.substr(0, equals);
    if (name == "local") {
      const auto prefix = ParseIpv4Prefix(value);
      if (!prefix) return false;
      local = *prefix;
    } else if (name == "gateway") {
      const auto address = ParseIpv4(value);
      if (!address) return false;
      gateway = *address;
    } else if (name == "mtu") {
      const int number = std::atoi(value.c_str());
      if (number < 576 || number > 2000) return false;
      mtu = static_cast<uint16_t>(number);
    } else if (name == "trace") {
      trace = true;
    } else {
      return false;
    }
  }
  return true;
}

Stack::Stack(const StackFlags& flags)
    : flags_(flags),
      main_(std::this_thread::get_id()),
      now_(kTimeZero + 1000s),
      heap_(8192),
      pool_(std::make_unique<dataplane::PacketPool>(heap_.backend())),
      peer_mss_(largest_payload()) {
  const dataplane::PipelineConfig config = ConfigOf(flags);
  sim::SimPortConfig port;
  port.mtu = flags.mtu;
  port_ = std::make_unique<sim::SimPort>(pool_.get(), port);
  auto pipeline = dataplane::Pipeline::Create(config, pool_.get(), now_);
  if (!pipeline.ok()) Die(pipeline.status().ToString().c_str());
  pipeline_ = *std::move(pipeline);
  socket::SocketStackOptions options;
  options.first_fd = kFirstFd;
  sockets_ =
      std::make_unique<socket::SocketStack>(pipeline_.get(), this, options);
  // Resolves the peers, so that no packet of a script waits for that.
  Settle();
}

Stack::~Stack() {
  pipeline_.reset();
  port_.reset();
}

void Stack::ReadSysctls() {
  const std::scoped_lock lock(mutex_);
  sockets_->SetDefaults(ConfigOfSysctls());
}

// ------------------------------------------------------------------ turns

uint32_t Stack::TurnOnce() {
  uint32_t work = 0;
  dataplane::Packet* burst[dataplane::kBurst];
  pipeline_->BeginTurn(now_);
  // All that is there is one burst: the pieces of a large segment are not to be
  // told from it.
  while (const uint16_t n = port_->RxBurst(burst, dataplane::kBurst)) {
    pipeline_->Receive(0, {burst, n});
    work += n;
  }
  pipeline_->EndTurn();
  dataplane::TxQueue& tx = pipeline_->tx(0);
  if (!tx.frames().empty()) {
    const uint16_t n = port_->TxBurst(
        tx.frames().data(), static_cast<uint16_t>(tx.frames().size()));
    tx.Taken(n);
    work += n;
  }
  TakeSent();
  return work;
}

// Everything that left: ARP is answered here, IP waits for the script.
void Stack::TakeSent() {
  for (const sim::Frame& frame : port_->TakeSent()) {
    const sim::ParsedFrame f = sim::ParseFrame(frame);
    if (f.is_arp) {
      const bool question = f.arp.operation == arp::kRequest &&
                            f.arp.target != flags_.local.address;
      if (!question) continue;
      sim::Ends ends;
      ends.source_mac = kPeerMac;
      ends.destination_mac = kOurMac;
      port_->Deliver(sim::ArpFrame(ends, arp::ReplyTo(f.arp, kPeerMac)));
      continue;
    }
    if (const char* wrong = sim::CheckFrame(frame, flags_.mtu)) Die(wrong);
    if (!f.is_ipv4) continue;
    if (flags_.trace) {
      std::fprintf(stderr, "%.6f out %s\n",
                   now_.time_since_epoch().count() / 1e9,
                   sim::Describe(frame).c_str());
    }
    const size_t at = sim::Ipv4Offset(frame);
    const auto begin = frame.begin() + static_cast<ptrdiff_t>(at);
    sent_.push_back({{begin, begin + f.ip.total_length}, now_});
  }
  if (port_->problem() != nullptr) Die(port_->problem());
}

// Turns of the loop until there is nothing to do at this instant.
void Stack::Settle() {
  constexpr int kMaxTurns = 10000;
  for (int i = 0; i < kMaxTurns; ++i) {
    const uint32_t work = TurnOnce();
    WakeSleeper();
    if (work == 0 && !port_->rx_pending() && pipeline_->NextDeadline() > now_) {
      return;
    }
  }
  Die("the stack does not come to rest");
}

Time Stack::NextDeadline() const {
  Time next = pipeline_->NextDeadline();
  if (sleeper_ == Sleeper::kSleeping) next = std::min(next, sleeper_until_);
  return next;
}

bool Stack::Pass(Time until) {
  const Time next = NextDeadline();
  if (next > until) {
    now_ = std::max(now_, until);
    return false;
  }
  now_ = std::max(now_, next);
  Settle();
  return true;
}

// ------------------------------------------------------------ the two threads

// In packetdrill's second thread: sleeps until the main thread has run a turn.
bool Stack::Turn(Time until) {
  if (std::this_thread::get_id() == main_) {
    if (until == kTimeNever && NextDeadline() == kTimeNever) return false;
    if (!Pass(until)) TurnOnce();
    return true;
  }
  std::unique_lock<std::mutex>& lock = *lock_;
  sleeper_ = Sleeper::kSleeping;
  sleeper_until_ = until;
  changed_.notify_all();
  changed_.wait(lock, [&] { return sleeper_ == Sleeper::kAwake; });
  lock_ = &lock;
  pipeline_->BeginTurn(now_);
  return true;
}

// Lets a sleeping call look again, and waits until it sleeps again or has come
// back and noted the time: else the clock might move on before it did.
void Stack::WakeSleeper() {
  if (std::this_thread::get_id() != main_ || sleeper_ == Sleeper::kNone) return;
  std::unique_lock<std::mutex>& lock = *lock_;
  if (sleeper_ == Sleeper::kSleeping) sleeper_ = Sleeper::kAwake;
  changed_.notify_all();
  changed_.wait(lock, [&] { return sleeper_ != Sleeper::kAwake; });
  lock_ = &lock;
}

// ------------------------------------------------------------------- the wire

void Stack::Send(ByteView packet) {
  std::unique_lock lock(mutex_);
  lock_ = &lock;
  for (sim::Frame& frame : ToFrames(packet, peer_mss_, kPeerMac, kOurMac)) {
    const sim::ParsedFrame f = sim::ParseFrame(frame);
    if (f.is_tcp && f.tcp.Has(tcp::kSyn)) {
      const uint16_t said = tcp::ParseOptions(f.tcp.OptionBytes()).mss;
      if (said != 0) peer_mss_ = std::min(said, largest_payload());
    }
    if (flags_.trace) {
      std::fprintf(stderr, "%.6f in  %s\n",
                   now_.time_since_epoch().count() / 1e9,
                   sim::Describe(frame).c_str());
    }
    port_->Deliver(std::move(frame));
  }
  Settle();
}

bool Stack::Receive(std::vector<uint8_t>& packet, Time& at) {
  std::unique_lock lock(mutex_);
  lock_ = &lock;
  const Time limit = now_ + kLongestWait;
  while (sent_.empty()) {
    if (!Pass(limit)) return false;
  }
  packet = std::move(sent_.front().packet);
  at = sent_.front().at;
  sent_.pop_front();
  return true;
}

size_t Stack::unclaimed() {
  const std::scoped_lock lock(mutex_);
  return sent_.size();
}

// ------------------------------------------------------------------ the clock

Time Stack::Now() {
  const std::scoped_lock lock(mutex_);
  if (std::this_thread::get_id() != main_ && sleeper_ == Sleeper::kAwake) {
    sleeper_ = Sleeper::kNone;
    changed_.notify_all();
  }
  now_ += 1us;
  return now_;
}

void Stack::Sleep(Duration time) {
  std::unique_lock lock(mutex_);
  lock_ = &lock;
  const Time until = now_ + time;
  while (Pass(until)) {
  }
}

}  // namespace corelane::packetdrill
