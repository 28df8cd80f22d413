// The options of TCP sockets (IPPROTO_TCP).
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>

#include "dataplane/socket/option_value.h"
#include "dataplane/socket/socket_stack.h"
#include "dataplane/socket/tcp_info.h"
#include "proto/tcp/congestion_control.h"

namespace corelane::socket {
namespace {

using Phase = TcpSocket::Phase;

// Linux's bounds (RFC 9293 sets none).
constexpr int kMaxKeepSeconds = 32767;
constexpr int kMaxKeepProbes = 127;
constexpr int kMaxSynRetries = 127;
constexpr int kMinMss = 88;
constexpr int kMaxMss = 32767;
constexpr int kMaxFinWait2 = 120;
constexpr size_t kCongestionNameSize = 16;

int SecondsOf(Duration d) {
  return static_cast<int>(d.count() / 1'000'000'000);
}

// Programs ask for the algorithms by Linux's names.
constexpr std::string_view kLinuxNewReno = "reno";

std::optional<tcp::CongestionControl> ByLinuxName(std::string_view name) {
  if (name == kLinuxNewReno) return tcp::CongestionControl::kNewReno;
  return tcp::CongestionControlByName(name);
}

std::string_view LinuxName(tcp::CongestionControl control) {
  return control == tcp::CongestionControl::kNewReno ? kLinuxNewReno
                                                     : tcp::NameOf(control);
}

}  // namespace

// Makes options count: found or made as a profile, and told to whatever the
// socket stands for.
int SocketStack::SetOptions(TcpSocket& s, const tcp::Config& options) {
  const uint16_t profile = tcp().AcquireProfile(options);
  if (profile == dataplane::Profiles::kNone) return -ENOBUFS;
  if (profile == s.profile) {
    tcp().ReleaseProfile(profile);
    return 0;
  }
  if (s.phase == Phase::kListening) {
    tcp().SetListenerProfile(s.listener, profile);
  } else if (s.attached()) {
    s.connection.SetProfile(profile);
  }
  tcp().ReleaseProfile(s.profile);
  s.profile = profile;
  return 0;
}

// Those that are a number of seconds, milliseconds or times.
int SocketStack::SetTcpTime(TcpSocket& s, int name, int value) {
  const auto seconds = std::chrono::seconds(value);
  const bool in_range = value >= 1 && value <= kMaxKeepSeconds;
  switch (name) {
    case TCP_KEEPIDLE:
      if (!in_range) return -EINVAL;
      return Change(s, [&](tcp::Config& o) { o.keepalive_idle = seconds; });
    case TCP_KEEPINTVL:
      if (!in_range) return -EINVAL;
      return Change(s, [&](tcp::Config& o) { o.keepalive_interval = seconds; });
    case TCP_KEEPCNT:
      if (value < 1 || value > kMaxKeepProbes) return -EINVAL;
      return Change(s, [&](tcp::Config& o) {
        o.keepalive_probes = static_cast<uint8_t>(value);
      });
    case TCP_SYNCNT:
      if (value < 1 || value > kMaxSynRetries) return -EINVAL;
      return Change(s, [&](tcp::Config& o) {
        o.max_syn_retransmits = static_cast<uint8_t>(value);
      });
    case TCP_USER_TIMEOUT:
      if (value < 0) return -EINVAL;
      return Change(s, [&](tcp::Config& o) {
        o.user_timeout = std::chrono::milliseconds(value);
      });
    case TCP_LINGER2:
      // Negative: FIN-WAIT-2 is not waited in at all.
      return Change(s, [&](tcp::Config& o) {
        o.fin_wait2 = value < 0 ? Duration()
                      : value == 0
                          ? tcp().config().fin_wait2
                          : std::chrono::seconds(std::min(value, kMaxFinWait2));
      });
    default:
      return -ENOPROTOOPT;
  }
}

int SocketStack::SetTcpOption(TcpSocket& s, int name, const void* value,
                              socklen_t length) {
  if (name == TCP_CONGESTION) {
    if (value == nullptr || length == 0) return -EINVAL;
    std::string_view text(static_cast<const char*>(value),
                          std::min<size_t>(length, kCongestionNameSize - 1));
    text = text.substr(0, text.find('\0'));
    const auto found = ByLinuxName(text);
    if (!found) return -ENOENT;
    return Change(s, [&](tcp::Config& o) { o.congestion = *found; });
  }
  int number;
  if (const int r = ReadOption(value, length, number); r < 0) return r;
  switch (name) {
    case TCP_NODELAY: {
      const bool on = number != 0;
      const int r = Change(s, [&](tcp::Config& o) { o.nodelay = on; });
      if (r < 0) return r;
      s.nodelay = on;
      if (s.attached()) s.connection.SetNoDelay(on);
      if (on && s.phase == Phase::kOpen) FlushCorked(s);
      return 0;
    }
    case TCP_CORK:
      s.cork = number != 0;
      if (!s.cork && s.phase == Phase::kOpen) FlushCorked(s);
      return 0;
    case TCP_MAXSEG:
      if (number != 0 && (number < kMinMss || number > kMaxMss)) return -EINVAL;
      return Change(s, [&](tcp::Config& o) {
        o.max_segment = static_cast<uint16_t>(number);
      });
    case TCP_NOTSENT_LOWAT:
      s.notsent_low = static_cast<uint32_t>(number);
      return 0;
    case TCP_DEFER_ACCEPT:
      s.defer_accept = std::chrono::seconds(std::max(number, 0));
      return 0;
    case TCP_QUICKACK:
      if (s.phase == Phase::kOpen) s.connection.SetQuickAck(number != 0);
      return 0;
    default:
      return SetTcpTime(s, name, number);
  }
}

int SocketStack::GetTcpInfo(const TcpSocket& s, void* value,
                            socklen_t& length) {
  TcpInfo info;
  if (s.phase == Phase::kListening) {
    info =
        ListenerInfo(static_cast<uint32_t>(s.accept_queue.size()), s.backlog);
  } else if (s.attached()) {
    const tcp::ControlBlock& cb = s.connection.control_block();
    const auto mtu = pipeline_.ip().MtuTowards(
        dataplane::TcpLayer::FlowOf(s.connection.key()));
    auto own_mss = static_cast<uint16_t>(mtu - 40);
    if (OptionsOf(s).max_segment != 0) {
      own_mss = std::min(own_mss, OptionsOf(s).max_segment);
    }
    info = ConnectionInfo(cb, tcp().send_state(s.connection.index()),
                          OptionsOf(s), own_mss, pipeline_.core().tcp_now);
    SetLastReceived(info, now() - s.heard_at);
  } else {
    info = ClosedInfo();
  }
  return WriteOption(info.data(), info.size(), value, length);
}

int SocketStack::GetTcpOption(TcpSocket& s, int name, void* value,
                              socklen_t& length) {
  const tcp::Config& o = OptionsOf(s);
  auto give = [&](int number) { return WriteInt(number, value, length); };
  switch (name) {
    case TCP_INFO:
      return GetTcpInfo(s, value, length);
    case TCP_CC_INFO: {
      if (o.congestion != tcp::CongestionControl::kBbr) {
        length = 0;
        return 0;
      }
      const auto info = ControlInfo(
          s.attached() ? tcp().send_state(s.connection.index()) : nullptr);
      return WriteOption(info.data(), sizeof(info), value, length);
    }
    case TCP_CONGESTION: {
      char text[kCongestionNameSize] = {};
      LinuxName(o.congestion).copy(text, sizeof(text) - 1);
      return WriteOption(text, sizeof(text), value, length);
    }
    case TCP_NODELAY:
      return give(s.nodelay ? 1 : 0);
    case TCP_CORK:
      return give(s.cork ? 1 : 0);
    case TCP_MAXSEG:
      if (s.phase == Phase::kOpen) {
        return give(s.connection.control_block().mss);
      }
      return give(o.max_segment != 0 ? o.max_segment : 536);
    case TCP_NOTSENT_LOWAT:
      return give(static_cast<int>(s.notsent_low));
    case TCP_DEFER_ACCEPT:
      return give(SecondsOf(s.defer_accept));
    case TCP_QUICKACK:
      return give(
          s.attached() && s.connection.control_block().quick_acks == 0 ? 0 : 1);
    case TCP_KEEPIDLE:
      return give(SecondsOf(o.keepalive_idle));
    case TCP_KEEPINTVL:
      return give(SecondsOf(o.keepalive_interval));
    case TCP_KEEPCNT:
      return give(o.keepalive_probes);
    case TCP_SYNCNT:
      return give(o.max_syn_retransmits);
    case TCP_USER_TIMEOUT:
      return give(static_cast<int>(o.user_timeout.count() / 1'000'000));
    case TCP_LINGER2:
      return give(o.fin_wait2 == Duration() ? -1 : SecondsOf(o.fin_wait2));
    default:
      return -ENOPROTOOPT;
  }
}

}  // namespace corelane::socket
