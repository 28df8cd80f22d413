#include "tests/packetdrill/sysctls.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "proto/tcp/congestion_control.h"

namespace corelane::packetdrill {
namespace {

// The numbers of a setting; none if the kernel has no such.
std::vector<int64_t> Numbers(const std::string& name) {
  std::ifstream file("/proc/sys/net/ipv4/" + name);
  std::vector<int64_t> numbers;
  int64_t number;
  while (file >> number) numbers.push_back(number);
  return numbers;
}

int64_t Number(const std::string& name, int64_t otherwise) {
  const std::vector<int64_t> numbers = Numbers(name);
  return numbers.empty() ? otherwise : numbers[0];
}

// The setting's third number: least, default, most.
uint32_t Most(const std::string& name, uint32_t otherwise) {
  const std::vector<int64_t> numbers = Numbers(name);
  return numbers.size() < 3
             ? otherwise
             : static_cast<uint32_t>(std::min<int64_t>(numbers[2], 1 << 30));
}

uint8_t Count(const std::string& name, uint8_t otherwise) {
  return static_cast<uint8_t>(
      std::clamp<int64_t>(Number(name, otherwise), 0, 255));
}

tcp::Ecn EcnOf(int64_t number) {
  return number == 0   ? tcp::Ecn::kOff
         : number == 1 ? tcp::Ecn::kRequest
                       : tcp::Ecn::kAccept;
}

// Empty if the kernel does not say.
std::string CongestionName() {
  std::ifstream file("/proc/sys/net/ipv4/tcp_congestion_control");
  std::string name;
  file >> name;
  return name;
}

// Before any script has run.
const bool kBbrAtLoad = CongestionName() == "bbr";

}  // namespace

tcp::Config ConfigOfSysctls() {
  tcp::Config c;
  c.receive_buffer = Most("tcp_rmem", c.receive_buffer);
  c.send_buffer = Most("tcp_wmem", c.send_buffer);
  c.timestamps = Number("tcp_timestamps", 1) != 0;
  c.sack = Number("tcp_sack", 1) != 0;
  c.window_scaling = Number("tcp_window_scaling", 1) != 0;
  c.ecn = EcnOf(Number("tcp_ecn", 2));
  c.frto = Number("tcp_frto", 2) != 0;
  c.tail_loss_probe = Number("tcp_early_retrans", 3) >= 3;
  c.slow_start_after_idle = Number("tcp_slow_start_after_idle", 1) != 0;
  c.mtu_probing = Number("tcp_mtu_probing", 0) != 0;
  c.autotune_receive = Number("tcp_moderate_rcvbuf", 1) != 0;
  c.max_syn_retransmits = Count("tcp_syn_retries", 6);
  c.max_synack_retransmits = Count("tcp_synack_retries", 5);
  c.max_retransmits = Count("tcp_retries2", 15);
  const int64_t orphan = Number("tcp_orphan_retries", 0);
  c.max_orphan_retransmits =
      orphan == 0 ? 8 : static_cast<uint8_t>(std::min<int64_t>(orphan, 255));
  c.fin_wait2 = std::chrono::seconds(Number("tcp_fin_timeout", 60));
  c.keepalive_idle = std::chrono::seconds(Number("tcp_keepalive_time", 7200));
  c.keepalive_interval =
      std::chrono::seconds(Number("tcp_keepalive_intvl", 75));
  c.keepalive_probes = Count("tcp_keepalive_probes", 9);
  // Where the machine's own choice is BBR, a script's for CUBIC, which all
  // begin with, may have been refused: it then holds all the same.
  const std::string name = CongestionName();
  if (name != "bbr" || !kBbrAtLoad) {
    c.congestion =
        tcp::CongestionControlByName(name == "reno" ? "newreno" : name)
            .value_or(c.congestion);
  }
  return c;
}

}  // namespace corelane::packetdrill
