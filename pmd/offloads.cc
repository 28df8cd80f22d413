#include "pmd/offloads.h"

#include <rte_ethdev.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace corelane::pmd {
namespace {

constexpr uint64_t kWantedRx = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM |
                               RTE_ETH_RX_OFFLOAD_TCP_CKSUM |
                               RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
constexpr uint64_t kWantedTx =
    RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
    RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
// Without these nothing can be cut.
constexpr uint64_t kForTso = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM |
                             RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
                             RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

std::string ChecksumList(bool ipv4, bool tcp, bool udp) {
  std::vector<std::string> names;
  if (ipv4) names.emplace_back("ip");
  if (tcp) names.emplace_back("tcp");
  if (udp) names.emplace_back("udp");
  return absl::StrJoin(names, ",");
}

}  // namespace

OffloadMasks ChooseOffloads(const OffloadMasks& offered, bool wants_scatter,
                            bool wants_tso) {
  const uint64_t scatter = wants_scatter ? RTE_ETH_RX_OFFLOAD_SCATTER : 0;
  const bool tso = wants_tso && (offered.tx & kForTso) == kForTso;
  return {
      .rx = offered.rx & (kWantedRx | scatter),
      .tx = offered.tx & (kWantedTx | (tso ? RTE_ETH_TX_OFFLOAD_TCP_TSO : 0))};
}

Offloads DescribeOffloads(const OffloadMasks& chosen) {
  Offloads o;
  o.rx_ipv4_checksum = (chosen.rx & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0;
  o.rx_tcp_checksum = (chosen.rx & RTE_ETH_RX_OFFLOAD_TCP_CKSUM) != 0;
  o.rx_udp_checksum = (chosen.rx & RTE_ETH_RX_OFFLOAD_UDP_CKSUM) != 0;
  o.rx_scatter = (chosen.rx & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
  o.tx_ipv4_checksum = (chosen.tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
  o.tx_tcp_checksum = (chosen.tx & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0;
  o.tx_udp_checksum = (chosen.tx & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0;
  o.tx_multi_segs = (chosen.tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
  o.tx_tcp_tso = (chosen.tx & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0;
  return o;
}

bool SendsAnyMemory(const std::string& driver) {
  static constexpr const char* kCopy[] = {
      "net_tap",  "net_af_packet", "net_af_xdp", "net_memif",
      "net_null", "net_pcap",      "net_ring",   "net_vhost"};
  return std::find(std::begin(kCopy), std::end(kCopy), driver) !=
         std::end(kCopy);
}

std::string ToString(const Offloads& o) {
  std::vector<std::string> parts;
  const std::string rx =
      ChecksumList(o.rx_ipv4_checksum, o.rx_tcp_checksum, o.rx_udp_checksum);
  const std::string tx =
      ChecksumList(o.tx_ipv4_checksum, o.tx_tcp_checksum, o.tx_udp_checksum);
  if (!rx.empty()) parts.push_back(absl::StrCat("rx cksum ", rx));
  if (!tx.empty()) parts.push_back(absl::StrCat("tx cksum ", tx));
  if (o.tx_multi_segs) parts.emplace_back("multi-segment");
  if (o.tx_tcp_tso) parts.emplace_back("tso");

  std::vector<std::string> software;
  const std::string soft_rx =
      ChecksumList(!o.rx_ipv4_checksum, !o.rx_tcp_checksum, !o.rx_udp_checksum);
  const std::string soft_tx =
      ChecksumList(!o.tx_ipv4_checksum, !o.tx_tcp_checksum, !o.tx_udp_checksum);
  if (!soft_rx.empty()) software.push_back(absl::StrCat("rx ", soft_rx));
  if (!soft_tx.empty()) software.push_back(absl::StrCat("tx ", soft_tx));
  if (!o.tx_multi_segs) software.emplace_back("joining segments");
  parts.push_back(absl::StrCat(
      "in software: ",
      software.empty() ? "nothing" : absl::StrJoin(software, ", ")));
  return absl::StrJoin(parts, "; ");
}

}  // namespace corelane::pmd
