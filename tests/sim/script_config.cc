#include "tests/sim/script_config.h"

#include <optional>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "proto/tcp/config.h"
#include "proto/tcp/congestion_control.h"
#include "tests/sim/scenario.h"
#include "tests/sim/script_line.h"

namespace corelane::sim {
namespace {

// Each returns false if the value has no such form.
bool Assign(bool& field, const std::string& value) {
  field = value == "on";
  return value == "on" || value == "off";
}

bool Assign(Duration& field, const std::string& value) {
  field = Seconds(value);
  return true;
}

bool Assign(tcp::CongestionControl& field, const std::string& value) {
  const auto known = tcp::CongestionControlByName(value);
  if (known) field = *known;
  return known.has_value();
}

bool Assign(tcp::Ecn& field, const std::string& value) {
  if (value == "off") field = tcp::Ecn::kOff;
  if (value == "accept") field = tcp::Ecn::kAccept;
  if (value == "request" || value == "on") field = tcp::Ecn::kRequest;
  return value == "off" || value == "accept" || value == "request" ||
         value == "on";
}

template <typename Integer>
requires std::is_integral_v<Integer>
bool Assign(Integer& field, const std::string& value) {
  field = static_cast<Integer>(Number(value));
  return true;
}

// 1: done, 0: bad value, -1: no such field.
int SetTcp(tcp::Config& tcp, const std::string& name,
           const std::string& value) {
#define CORELANE_FIELD(field) \
  if (name == #field) return Assign(tcp.field, value) ? 1 : 0
  CORELANE_FIELD(rto_initial);
  CORELANE_FIELD(rto_min);
  CORELANE_FIELD(rto_max);
  CORELANE_FIELD(max_retransmits);
  CORELANE_FIELD(max_syn_retransmits);
  CORELANE_FIELD(max_synack_retransmits);
  CORELANE_FIELD(max_orphan_retransmits);
  CORELANE_FIELD(delayed_ack);
  CORELANE_FIELD(time_wait);
  CORELANE_FIELD(fin_wait2);
  CORELANE_FIELD(initial_window_segments);
  CORELANE_FIELD(receive_buffer);
  CORELANE_FIELD(send_buffer);
  CORELANE_FIELD(min_mss);
  CORELANE_FIELD(nodelay);
  CORELANE_FIELD(congestion);
  CORELANE_FIELD(timestamps);
  CORELANE_FIELD(sack);
  CORELANE_FIELD(window_scaling);
  CORELANE_FIELD(ecn);
  CORELANE_FIELD(tail_loss_probe);
  CORELANE_FIELD(frto);
  CORELANE_FIELD(hystart);
  CORELANE_FIELD(slow_start_after_idle);
  CORELANE_FIELD(pacing);
  CORELANE_FIELD(mtu_probing);
  CORELANE_FIELD(mtu_raise);
  CORELANE_FIELD(autotune_receive);
  CORELANE_FIELD(syn_cookies);
  CORELANE_FIELD(keepalive);
  CORELANE_FIELD(keepalive_idle);
  CORELANE_FIELD(keepalive_interval);
  CORELANE_FIELD(keepalive_probes);
  CORELANE_FIELD(user_timeout);
  CORELANE_FIELD(max_segment);
  CORELANE_FIELD(tos);
  CORELANE_FIELD(ttl);
#undef CORELANE_FIELD
  return -1;
}

int SetOther(NodeConfig& config, const std::string& name,
             const std::string& value) {
  dataplane::TcpLimits& limits = config.pipeline.limits;
  uint32_t seed = 0;
#define CORELANE_FIELD(text, field) \
  if (name == text) return Assign(field, value) ? 1 : 0
  CORELANE_FIELD("backlog", limits.backlog);
  CORELANE_FIELD("max_connections", limits.max_connections);
  CORELANE_FIELD("max_requests", limits.max_requests);
  CORELANE_FIELD("max_time_wait", limits.max_time_wait);
  CORELANE_FIELD("mtu", config.pipeline.interfaces[0].mtu);
  CORELANE_FIELD("rx_checksum", config.port.rx_checksum);
  CORELANE_FIELD("probe", config.pipeline.arp.announcer.probe);
#undef CORELANE_FIELD
  if (name == "address") {
    const auto address = ParseIpv4(value);
    if (!address) return 0;
    config.pipeline.interfaces[0].addresses.push_back({*address, 24});
    return 1;
  }
  if (name == "seed" && Assign(seed, value)) {
    config.pipeline.secrets = dataplane::Secrets::FromSeed(seed);
    return 1;
  }
  return -1;
}

}  // namespace

NodeConfig ScriptNodeConfig() {
  NodeConfig config;
  dataplane::InterfaceConfig interface;
  interface.name = "sim0";
  interface.mac = MacOf(0, 0);
  interface.addresses = {{AddressOf(0, 0), 24}};
  config.pipeline.interfaces.push_back(interface);
  config.pipeline.secrets = dataplane::Secrets::FromSeed(1);
  config.pipeline.limits = {16, 16, 16, 64, 16};
  config.pipeline.arp.limits.capacity = 64;
  config.pipeline.arp.announcer.probe = false;
  config.packets = 2048;
  config.poison = true;
  return config;
}

std::string SetByName(const std::string& name, const std::string& value,
                      NodeConfig& config) {
  int done = SetTcp(config.pipeline.tcp, name, value);
  if (done < 0) done = SetOther(config, name, value);
  if (done < 0) return absl::StrCat("nothing is called ", name);
  return done == 1 ? "" : absl::StrCat(name, " cannot be ", value);
}

}  // namespace corelane::sim
