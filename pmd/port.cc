#include "pmd/port.h"

#include <rte_ethdev.h>
#include <rte_ether.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "pmd/port_setup.h"

namespace corelane::pmd {

absl::StatusOr<std::unique_ptr<Port>> Port::Open(
    const DeviceSpec& spec, const PortOptions& options,
    std::span<PacketMempool* const> pools) {
  std::unique_ptr<Port> port(new Port);
  absl::StatusOr<uint16_t> id = FindPort(spec);
  if (!id.ok()) return id.status();
  port->caps_.port_id = *id;
  if (absl::Status s = SetUpPort(spec, options, pools, port->caps_); !s.ok()) {
    return s;
  }
  port->opened_ = true;
  return port;
}

Port::~Port() {
  if (!opened_) return;
  rte_eth_dev_stop(caps_.port_id);
  rte_eth_dev_close(caps_.port_id);
}

uint16_t PortQueue::TxPrepared(rte_mbuf** packets, uint16_t n) {
  if (prepared_ < n) {
    prepared_ = static_cast<uint16_t>(
        prepared_ + rte_eth_tx_prepare(port_id_, queue_, packets + prepared_,
                                       static_cast<uint16_t>(n - prepared_)));
  }
  const uint16_t sent = rte_eth_tx_burst(port_id_, queue_, packets, prepared_);
  const bool refuses = sent == prepared_ && sent < n;
  prepared_ = static_cast<uint16_t>(prepared_ - sent);
  if (!refuses) return sent;
  // What comes next is a packet that the device will never take.
  rte_pktmbuf_free(packets[sent]);
  port_->NoteRefused();
  return static_cast<uint16_t>(sent + 1);
}

PortLink Port::LinkStatus() const {
  rte_eth_link link = {};
  if (rte_eth_link_get_nowait(caps_.port_id, &link) != 0) return {};
  PortLink result;
  result.up = link.link_status == RTE_ETH_LINK_UP;
  if (link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN) {
    result.mbps = link.link_speed;
  }
  result.full_duplex = link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX;
  return result;
}

PortStats Port::Stats() const {
  rte_eth_stats stats = {};
  if (rte_eth_stats_get(caps_.port_id, &stats) != 0) return {};
  return {.rx_packets = stats.ipackets,
          .tx_packets = stats.opackets,
          .rx_bytes = stats.ibytes,
          .tx_bytes = stats.obytes,
          .rx_missed = stats.imissed,
          .rx_errors = stats.ierrors,
          .tx_errors = stats.oerrors + refused_.load(std::memory_order_relaxed),
          .rx_no_packet = stats.rx_nombuf};
}

std::vector<std::pair<std::string, uint64_t>> Port::Xstats() const {
  const int count = rte_eth_xstats_get(caps_.port_id, nullptr, 0);
  if (count <= 0) return {};
  const auto size = static_cast<unsigned>(count);
  std::vector<rte_eth_xstat> values(size);
  std::vector<rte_eth_xstat_name> names(size);
  if (rte_eth_xstats_get(caps_.port_id, values.data(), size) != count ||
      rte_eth_xstats_get_names(caps_.port_id, names.data(), size) != count) {
    return {};
  }
  std::vector<std::pair<std::string, uint64_t>> result;
  for (const rte_eth_xstat& value : values) {
    if (value.id < names.size()) {
      result.emplace_back(names[value.id].name, value.value);
    }
  }
  return result;
}

void Port::ResetStats() {
  rte_eth_stats_reset(caps_.port_id);
  rte_eth_xstats_reset(caps_.port_id);
}

}  // namespace corelane::pmd
