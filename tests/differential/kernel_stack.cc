#include "tests/differential/kernel_stack.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tests/differential/patch.h"
#include "tests/sim/scenario.h"
#include "tests/sim/script.h"
#include "tests/sim/script_line.h"

namespace corelane::sim {
namespace {

// 10.0.0.0/16 of the scripts is 10.77.0.0/16 on the machine.
constexpr uint16_t kScriptNet = 0x0a00;
constexpr uint16_t kRealNet = 0x0a4d;

void Renumber(Frame& frame, uint16_t from, uint16_t to) {
  const ParsedFrame f = ParseFrame(frame);
  const size_t ip = Ipv4Offset(frame);
  if (f.is_arp && frame.size() >= 42) {
    for (const size_t at : {28u, 38u}) {
      if (LoadBe16(&frame[at]) == from) StoreBe16(&frame[at], to);
    }
  }
  if (ip == 0 || frame.size() < ip + 20) return;
  for (const size_t at : {ip + 12, ip + 16}) {
    if (LoadBe16(&frame[at]) == from) PatchAddress(frame, at, to);
  }
  if (!f.is_icmp) return;
  // An error quotes a packet.
  const size_t inner = ip + 20 + 8;
  if (frame.size() < inner + 20 || (frame[inner] >> 4) != 4) return;
  for (const size_t at : {inner + 12, inner + 16}) {
    if (LoadBe16(&frame[at]) == from) StoreBe16(&frame[at], to);
  }
  FixChecksums(frame);
}

bool Shell(const std::string& command) {
  return std::system(absl::StrCat(command, " >/dev/null 2>&1").c_str()) == 0;
}

bool SetSysctl(const std::string& name, const std::string& value) {
  std::FILE* file =
      std::fopen(absl::StrCat("/proc/sys/net/", name).c_str(), "w");
  if (file == nullptr) return false;
  const bool written = std::fputs(value.c_str(), file) >= 0;
  return std::fclose(file) == 0 && written;
}

sockaddr_in SocketAddress(uint32_t script_address, uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  const uint32_t host = script_address & 0xffff;
  a.sin_addr.s_addr = htonl(
      script_address == 0 ? 0 : static_cast<uint32_t>(kRealNet) << 16 | host);
  return a;
}

void SetInt(int fd, int level, int name, int value) {
  (void)setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

KernelStack::~KernelStack() {
  if (tap_ >= 0) close(tap_);
}

std::string KernelStack::Configure(const std::string& name,
                                   const std::string& value) {
  const std::string digit = value == "on" ? "1" : "0";
  if (name == "congestion") {
    congestion_ = value == "newreno" ? "reno" : value;
    return congestion_ == "reno" || congestion_ == "cubic"
               ? ""
               : absl::StrCat("no congestion control ", value);
  }
  if (name == "ecn") {
    const bool asks = value == "request" || value == "on";
    SetSysctl("ipv4/tcp_ecn", asks ? "1" : value == "off" ? "0" : "2");
    return "";
  }
  if (name == "sack") SetSysctl("ipv4/tcp_sack", digit);
  if (name == "timestamps") SetSysctl("ipv4/tcp_timestamps", digit);
  if (name == "window_scaling") SetSysctl("ipv4/tcp_window_scaling", digit);
  if (name == "frto") SetSysctl("ipv4/tcp_frto", value == "on" ? "2" : "0");
  if (name == "tail_loss_probe") {
    SetSysctl("ipv4/tcp_early_retrans", value == "on" ? "3" : "0");
  }
  if (name == "slow_start_after_idle") {
    SetSysctl("ipv4/tcp_slow_start_after_idle", digit);
  }
  if (name == "mtu") mtu_ = static_cast<uint16_t>(Number(value));
  static constexpr const char* kKnown[] = {
      "sack", "timestamps", "window_scaling", "frto", "tail_loss_probe",
      "slow_start_after_idle", "mtu",
      // These do not change what both have in common.
      "hystart", "rx_checksum", "peer_isn", "seed"};
  for (const char* known : kKnown) {
    if (name == known) return "";
  }
  return absl::StrCat("nothing like '", name, "'");
}

std::string KernelStack::OpenTap() {
  tap_ = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ifreq request{};
  std::strcpy(request.ifr_name, "cl0");
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (tap_ < 0 || ioctl(tap_, TUNSETIFF, &request) != 0) return "no tap device";
  // Not there in a kernel without IPv6.
  SetSysctl("ipv6/conf/cl0/disable_ipv6", "1");
  const bool up =
      Shell(absl::StrCat("ip link set cl0 address ", ToString(MacOf(0, 0)),
                         " mtu ", mtu_, " up")) &&
      Shell("ip addr add 10.77.0.1/24 dev cl0");
  // Segments as they are on the wire, with their checksums in them.
  Shell("ethtool -K cl0 tso off gso off gro off tx off");
  return up ? "" : "cannot configure the device";
}

std::string KernelStack::Start(const Settings& settings) {
  if (unshare(CLONE_NEWNET) != 0) return "cannot make a namespace: not root?";
  Shell("ip link set lo up");
  SetSysctl("ipv4/tcp_no_metrics_save", "1");
  SetSysctl("ipv4/tcp_syn_linear_timeouts", "0");
  SetSysctl("ipv4/tcp_ecn", "1");  // as is our default
  for (const auto& [name, value] : settings) {
    std::string wrong = Configure(name, value);
    if (!wrong.empty()) return wrong;
  }
  return OpenTap();
}

void KernelStack::Deliver(Frame frame) {
  Renumber(frame, kScriptNet, kRealNet);
  (void)!write(tap_, frame.data(), frame.size());
}

std::optional<Frame> KernelStack::Receive(std::chrono::microseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    Serve();
    std::array<uint8_t, 70'000> buffer;
    const ssize_t n = read(tap_, buffer.data(), buffer.size());
    if (n > 0) {
      Frame frame(buffer.begin(), buffer.begin() + n);
      Renumber(frame, kRealNet, kScriptNet);
      const ParsedFrame f = ParseFrame(frame);
      if (f.is_ipv4) return frame;
      if (f.is_arp && f.arp.operation == arp::kRequest &&
          f.arp.target != AddressOf(0, 0)) {
        const Ends ends{MacOf(1, 0), MacOf(0, 0), AddressOf(1, 0),
                        AddressOf(0, 0)};
        Deliver(ArpFrame(ends, arp::ReplyTo(f.arp, MacOf(1, 0))));
      }
      continue;
    }
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= std::chrono::steady_clock::duration::zero()) return {};
    // Sockets become ready without a frame of their own: look now and then.
    const auto slice =
        std::min<std::chrono::nanoseconds>(left, std::chrono::milliseconds(1));
    const timespec wait{0, slice.count()};
    pollfd readable{tap_, POLLIN, 0};
    (void)ppoll(&readable, 1, &wait, nullptr);
  }
}

int KernelStack::Prepared(int type) const {
  const int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  SetInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (type == SOCK_DGRAM) return fd;
  if (!congestion_.empty()) {
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion_.data(),
                     static_cast<socklen_t>(congestion_.size()));
  }
  // Connect from the port that something listens on; take all that is sent.
  SetInt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  SetInt(fd, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20);
  if (nodelay_) SetInt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

std::string KernelStack::Listen(uint16_t port) {
  const int fd = Prepared(SOCK_STREAM);
  const sockaddr_in address = SocketAddress(0, port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) ||
      listen(fd, 16)) {
    return "cannot listen";
  }
  listeners_[port] = fd;
  return "";
}

std::string KernelStack::Connect(const FlowName& name) {
  const int fd = Prepared(SOCK_STREAM);
  const sockaddr_in local = SocketAddress(0, name.our_port);
  const sockaddr_in peer = SocketAddress(name.peer_address, name.peer_port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&local), sizeof local)) {
    return "cannot bind";
  }
  (void)connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer);
  streams_[name] = fd;
  return "";
}

std::string KernelStack::Do(std::vector<std::string> words) {
  const std::string command = words[0];
  const auto port = static_cast<uint16_t>(words.size() > 1 ? Number(words[1])
                                                           : kScriptOurPort);
  Serve();
  if (command == "listen") return Listen(port);
  if (command == "unlisten") {
    close(listeners_[port]);
    listeners_.erase(port);
    return "";
  }
  if (command == "bind") {
    const int fd = Prepared(SOCK_DGRAM);
    const sockaddr_in address = SocketAddress(0, port);
    datagrams_.push_back(fd);
    return bind(fd, reinterpret_cast<const sockaddr*>(&address),
                sizeof address) == 0
               ? ""
               : "cannot bind";
  }
  words.erase(words.begin());  // "app"
  const FlowName name = TakeFlowName(words);
  return Act(name, words);
}

std::string KernelStack::Act(const FlowName& name,
                             const std::vector<std::string>& words) {
  const std::string& what = words[0];
  if (what == "connect") return Connect(name);
  if (what == "echo") reading_ = Reading::kEcho;
  if (what == "sink") reading_ = Reading::kSink;
  if (what == "wait") reading_ = Reading::kWhenTold;
  if (what == "echo" || what == "sink" || what == "wait" || what == "timer") {
    return "";
  }
  const auto it = streams_.find(name);
  if (it == streams_.end()) return "no such connection";
  const int fd = it->second;
  std::vector<uint8_t> bytes(words.size() > 1 ? Number(words[1]) : 0);
  if (what == "send") {
    (void)send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } else if (what == "read") {
    (void)recv(fd, bytes.data(), bytes.size(), 0);
  } else if (what == "shutdown") {
    (void)shutdown(fd, SHUT_WR);
  } else if (what == "nodelay") {
    SetInt(fd, IPPROTO_TCP, TCP_NODELAY, words.size() < 2);
  } else if (what == "close" || what == "abort") {
    if (what == "abort") {
      const linger hard{1, 0};
      (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    close(fd);
    streams_.erase(it);
  } else {
    return absl::StrCat("no such action: ", what);
  }
  return "";
}

void KernelStack::Accept(int listener) {
  for (;;) {
    sockaddr_in peer{};
    sockaddr_in local{};
    socklen_t size = sizeof peer;
    const int fd = accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    size = sizeof local;
    (void)getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size);
    const uint32_t address = static_cast<uint32_t>(kScriptNet) << 16 |
                             (ntohl(peer.sin_addr.s_addr) & 0xffff);
    streams_[{address, ntohs(peer.sin_port), ntohs(local.sin_port)}] = fd;
  }
}

void KernelStack::Serve() {
  for (const auto& [port, listener] : listeners_) Accept(listener);
  if (reading_ == Reading::kWhenTold) return;
  std::array<uint8_t, 65'536> buffer;
  for (auto it = streams_.begin(); it != streams_.end();) {
    ssize_t n = 1;
    while (n > 0) {
      n = recv(it->second, buffer.data(), buffer.size(), 0);
      if (n > 0 && reading_ == Reading::kEcho) {
        (void)send(it->second, buffer.data(), static_cast<size_t>(n),
                   MSG_NOSIGNAL);
      }
    }
    const bool ended = n == 0 && reading_ == Reading::kEcho;
    if (ended) close(it->second);
    it = ended ? streams_.erase(it) : std::next(it);
  }
  for (const int fd : datagrams_) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    ssize_t n = 0;
    while ((n = recvfrom(fd, buffer.data(), buffer.size(), 0,
                         reinterpret_cast<sockaddr*>(&peer), &size)) >= 0) {
      if (reading_ != Reading::kEcho) continue;
      (void)sendto(fd, buffer.data(), static_cast<size_t>(n), 0,
                   reinterpret_cast<sockaddr*>(&peer), size);
    }
  }
}

}  // namespace corelane::sim
