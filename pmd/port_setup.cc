#include "pmd/port_setup.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_interrupts.h>
#include <rte_mbuf.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace corelane::pmd {
namespace {

constexpr uint64_t kRssTypes = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
                               RTE_ETH_RSS_NONFRAG_IPV4_UDP;
// Without these, what a device hashes is not the flow.
constexpr uint64_t kFlowTypes =
    RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP;
constexpr uint32_t kFrameOverhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

// One port on its way up.
class Setup {
 public:
  Setup(const DeviceSpec& spec, const PortOptions& options,
        std::span<PacketMempool* const> pools, PortCaps& caps)
      : spec_(spec), options_(options), pools_(pools), caps_(caps) {}

  absl::Status Run() {
    // So far nothing is changed, and other options may be tried.
    if (absl::Status status = ReadDevice(); !status.ok()) return status;
    absl::Status status = Configure();
    if (status.ok()) status = SetUpQueues();
    if (status.ok()) status = SetMtu();
    if (status.ok()) status = Start();
    if (status.ok()) status = SetMac();
    if (!status.ok()) {
      // Its queues must not keep packets of pools that may go now.
      rte_eth_dev_stop(caps_.port_id);
      rte_eth_dev_close(caps_.port_id);
      return status;
    }
    NoteTso();
    SetPromiscuous();
    ProbeInterrupt();
    ReadRss();
    return absl::OkStatus();
  }

 private:
  absl::Status Fail(absl::string_view what, int error) const {
    return absl::InternalError(
        absl::StrCat("--dev ", spec_.text, ": ", what, ": ",
                     rte_strerror(error < 0 ? -error : error)));
  }

  absl::Status ReadDevice() {
    if (pools_.empty()) {
      return absl::InvalidArgumentError("a port needs a packet pool");
    }
    if (const int result = rte_eth_dev_info_get(caps_.port_id, &info_);
        result != 0) {
      return Fail("the driver tells nothing of the device", result);
    }
    caps_.name = spec_.name;
    caps_.label = !spec_.interface.empty() ? spec_.interface : spec_.socket;
    caps_.driver = info_.driver_name != nullptr ? info_.driver_name : "";
    caps_.numa_node = rte_eth_dev_socket_id(caps_.port_id);
    // One pair of queues for each core: net_tap and others insist on as many
    // of one as of the other.
    const uint16_t most =
        spec_.most_queues == 0 ? options_.queues : spec_.most_queues;
    caps_.queues = std::max<uint16_t>(
        1, std::min({options_.queues, most, info_.max_rx_queues,
                     info_.max_tx_queues}));
    uint32_t max_mtu = info_.max_mtu;
    if (info_.max_rx_pktlen > kFrameOverhead) {
      max_mtu = std::min(max_mtu, info_.max_rx_pktlen - kFrameOverhead);
    }
    // Some drivers claim less than they do.
    caps_.max_mtu =
        static_cast<uint16_t>(std::max<uint32_t>(max_mtu, RTE_ETHER_MTU));
    caps_.mtu = options_.mtu != 0 ? options_.mtu : RTE_ETHER_MTU;
    if (caps_.mtu < std::max<uint16_t>(info_.min_mtu, 68) ||
        caps_.mtu > caps_.max_mtu) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--dev ", spec_.text, ": an MTU of ", caps_.mtu,
          " is not possible; this device takes ",
          std::max<uint16_t>(info_.min_mtu, 68), " to ", caps_.max_mtu));
    }
    return absl::OkStatus();
  }

  bool NeedsScatter() const {
    const uint32_t room = rte_pktmbuf_data_room_size(pools_[0]->raw());
    return caps_.mtu + kFrameOverhead + RTE_PKTMBUF_HEADROOM > room;
  }

  absl::Status Configure() {
    masks_ = ChooseOffloads(
        {.rx = info_.rx_offload_capa, .tx = info_.tx_offload_capa},
        NeedsScatter(), spec_.tso);
    rte_eth_conf conf = {};
    conf.rxmode.mtu = caps_.mtu;
    conf.rxmode.offloads = masks_.rx;
    conf.txmode.offloads = masks_.tx;
    conf.intr_conf.rxq = options_.rx_interrupt ? 1 : 0;
    AddRss(conf);
    int result =
        rte_eth_dev_configure(caps_.port_id, caps_.queues, caps_.queues, &conf);
    if (result != 0 && conf.intr_conf.rxq != 0) {
      conf.intr_conf.rxq = 0;
      result = rte_eth_dev_configure(caps_.port_id, caps_.queues, caps_.queues,
                                     &conf);
    }
    if (result != 0) return Fail("the device cannot be configured", result);
    may_interrupt_ = conf.intr_conf.rxq != 0;
    caps_.offloads = DescribeOffloads(masks_);
    return absl::OkStatus();
  }

  // How the device wants what it is to cut.
  void NoteTso() {
    constexpr uint16_t kUsualBuffers = 16;
    if ((masks_.tx & RTE_ETH_TX_OFFLOAD_TCP_TSO) == 0) return;
    const uint16_t most = info_.tx_desc_lim.nb_seg_max;
    caps_.tso_buffers = most == 0 ? kUsualBuffers : most;
    if (caps_.tso_buffers < 2) return;
    // net_tap counts the Ethernet header as part of what the MTU bounds.
    constexpr uint16_t kHeaders = RTE_ETHER_HDR_LEN + 20 + 60;
    caps_.tso_piece = caps_.driver == "net_tap"
                          ? static_cast<uint16_t>(caps_.mtu - kHeaders)
                          : caps_.max_mtu;
  }

  // Virtual devices either have no RSS or claim one that they do not do.
  void AddRss(rte_eth_conf& conf) {
    const uint64_t types = info_.flow_type_rss_offloads & kRssTypes;
    if (caps_.queues < options_.queues) {
      caps_.no_rss = absl::StrCat("fewer queues than cores (", caps_.queues,
                                  " of ", options_.queues, ")");
      return;
    }
    if (caps_.queues < 2) return;
    if (IsVirtual(spec_) || types == 0) {
      caps_.no_rss = "the device has no RSS";
      return;
    }
    if ((types & kFlowTypes) != kFlowTypes) {
      caps_.no_rss = "the device's RSS does not look at TCP and UDP ports";
      return;
    }
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = types;
    key_ = options_.rss_key;
    if (key_.empty()) return;
    // A longer key than the device's is cut; a shorter one is repeated.
    const size_t length =
        info_.hash_key_size == 0 ? kRssKeyBytes : info_.hash_key_size;
    const size_t given = key_.size();
    key_.resize(length);
    for (size_t i = given; i < length; ++i) key_[i] = key_[i - given];
    conf.rx_adv_conf.rss_conf.rss_key = key_.data();
    conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<uint8_t>(length);
  }

  absl::Status SetUpQueues() {
    caps_.rx_descriptors = options_.rx_descriptors;
    caps_.tx_descriptors = options_.tx_descriptors;
    int result = rte_eth_dev_adjust_nb_rx_tx_desc(
        caps_.port_id, &caps_.rx_descriptors, &caps_.tx_descriptors);
    if (result != 0) return Fail("the ring sizes cannot be adjusted", result);
    const unsigned node = caps_.numa_node < 0
                              ? static_cast<unsigned>(SOCKET_ID_ANY)
                              : static_cast<unsigned>(caps_.numa_node);
    rte_eth_rxconf rx = info_.default_rxconf;
    rx.offloads = masks_.rx;
    rte_eth_txconf tx = info_.default_txconf;
    tx.offloads = masks_.tx;
    for (uint16_t queue = 0; queue < caps_.queues; ++queue) {
      result = rte_eth_rx_queue_setup(caps_.port_id, queue,
                                      caps_.rx_descriptors, node, &rx,
                                      pools_[queue % pools_.size()]->raw());
      if (result == -ENOMEM) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "--dev ", spec_.text, ": no packets for ", caps_.rx_descriptors,
            " receive descriptors; enlarge the pool or use fewer"));
      }
      if (result != 0) return Fail("no receive queue", result);
      result = rte_eth_tx_queue_setup(caps_.port_id, queue,
                                      caps_.tx_descriptors, node, &tx);
      if (result != 0) return Fail("no transmit queue", result);
    }
    return absl::OkStatus();
  }

  // Only when asked: af_packet would change the kernel's own interface.
  absl::Status SetMtu() {
    if (options_.mtu == 0) return absl::OkStatus();
    const int result = rte_eth_dev_set_mtu(caps_.port_id, options_.mtu);
    if (result == 0 || result == -ENOTSUP) return absl::OkStatus();
    return Fail(absl::StrCat("an MTU of ", options_.mtu, " was refused"),
                result);
  }

  absl::Status Start() {
    const int result = rte_eth_dev_start(caps_.port_id);
    if (result != 0) return Fail("the device does not start", result);
    return absl::OkStatus();
  }

  absl::Status SetMac() {
    rte_ether_addr address = {};
    const int result = rte_eth_macaddr_get(caps_.port_id, &address);
    if (result != 0) return Fail("the device's MAC is unknown", result);
    // net_ring has none.
    if (rte_is_zero_ether_addr(&address) != 0) {
      rte_eth_random_addr(address.addr_bytes);
    }
    caps_.mac = MacAddress::Load(address.addr_bytes);
    if (spec_.kind == DeviceKind::kTap) {
      // net_tap gives its address to the kernel's end of the link too. Two
      // stations on one link need two, or a bridge over it would go astray.
      caps_.mac.bytes[5] ^= 1;
    }
    if (!spec_.mac.has_value() || *spec_.mac == caps_.mac) {
      return absl::OkStatus();
    }
    caps_.mac = *spec_.mac;
    const bool shared = !spec_.interface.empty();
    spec_.mac->Store(address.addr_bytes);
    // A shared interface keeps the kernel's address; ours is one more on it.
    if (shared ||
        rte_eth_dev_default_mac_addr_set(caps_.port_id, &address) != 0) {
      foreign_mac_ = spec_.kind != DeviceKind::kTap;
    }
    return absl::OkStatus();
  }

  void SetPromiscuous() {
    if (options_.promiscuous || foreign_mac_) {
      rte_eth_promiscuous_enable(caps_.port_id);
    } else {
      rte_eth_promiscuous_disable(caps_.port_id);
    }
    caps_.promiscuous = rte_eth_promiscuous_get(caps_.port_id) == 1;
  }

  // Drivers promise interrupts more readily than they deliver: what counts is
  // whether each queue can be put into an epoll set.
  void ProbeInterrupt() {
    if (!may_interrupt_ || !MayHaveRxInterrupt(spec_)) return;
    const int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) return;
    caps_.rx_interrupt = true;
    for (uint16_t queue = 0; queue < caps_.queues; ++queue) {
      if (rte_eth_dev_rx_intr_ctl_q(caps_.port_id, queue, fd,
                                    RTE_INTR_EVENT_ADD, nullptr) != 0) {
        caps_.rx_interrupt = false;
        continue;
      }
      rte_eth_dev_rx_intr_ctl_q(caps_.port_id, queue, fd, RTE_INTR_EVENT_DEL,
                                nullptr);
    }
    close(fd);
  }

  // Entry i of the redirection table leads to queue i % queues. What comes of
  // it ReadRss finds out.
  void WriteReta() {
    std::vector<rte_eth_rss_reta_entry64> reta(
        (info_.reta_size + RTE_ETH_RETA_GROUP_SIZE - 1) /
        RTE_ETH_RETA_GROUP_SIZE);
    for (uint16_t i = 0; i < info_.reta_size; ++i) {
      rte_eth_rss_reta_entry64& group = reta[i / RTE_ETH_RETA_GROUP_SIZE];
      group.mask |= uint64_t{1} << (i % RTE_ETH_RETA_GROUP_SIZE);
      group.reta[i % RTE_ETH_RETA_GROUP_SIZE] = i % caps_.queues;
    }
    rte_eth_dev_rss_reta_update(caps_.port_id, reta.data(), info_.reta_size);
  }

  // What the device really uses, which may not be what it was given.
  void ReadRss() {
    if (key_.empty()) return;
    caps_.no_rss = "the device does not tell its RSS key and table";
    if (info_.reta_size == 0) return;
    WriteReta();
    RssMap map;
    map.key.resize(key_.size());
    rte_eth_rss_conf conf = {};
    conf.rss_key = map.key.data();
    conf.rss_key_len = static_cast<uint8_t>(map.key.size());
    if (rte_eth_dev_rss_hash_conf_get(caps_.port_id, &conf) != 0) return;
    const size_t groups = (info_.reta_size + RTE_ETH_RETA_GROUP_SIZE - 1) /
                          RTE_ETH_RETA_GROUP_SIZE;
    std::vector<rte_eth_rss_reta_entry64> reta(groups);
    for (rte_eth_rss_reta_entry64& group : reta) group.mask = ~uint64_t{0};
    if (rte_eth_dev_rss_reta_query(caps_.port_id, reta.data(),
                                   info_.reta_size) != 0) {
      return;
    }
    for (uint16_t i = 0; i < info_.reta_size; ++i) {
      map.queue_of.push_back(
          reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE]);
    }
    map.hash_types = conf.rss_hf;
    if ((map.hash_types & kFlowTypes) != kFlowTypes) {
      caps_.no_rss = "the device's RSS does not look at TCP and UDP ports";
      return;
    }
    if (*std::max_element(map.queue_of.begin(), map.queue_of.end()) >=
        caps_.queues) {
      caps_.no_rss = "the device's RSS table names queues that there are not";
      return;
    }
    caps_.rss = std::move(map);
    caps_.no_rss.clear();
  }

  const DeviceSpec& spec_;
  const PortOptions& options_;
  std::span<PacketMempool* const> pools_;
  PortCaps& caps_;
  rte_eth_dev_info info_ = {};
  OffloadMasks masks_;
  std::vector<uint8_t> key_;
  bool may_interrupt_ = false;
  bool foreign_mac_ = false;  // ours is not the one the device filters for
};

}  // namespace

absl::StatusOr<uint16_t> FindPort(const DeviceSpec& spec) {
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(spec.name.c_str(), &id) == 0) return id;
  return absl::NotFoundError(absl::StrCat(
      "--dev ", spec.text, ": DPDK has no device ", spec.name,
      IsVirtual(spec)
          ? "; is its driver (dpdk-pmds) installed?"
          : "; is it bound to vfio-pci, and its driver installed?"));
}

absl::Status SetUpPort(const DeviceSpec& spec, const PortOptions& options,
                       std::span<PacketMempool* const> pools, PortCaps& caps) {
  return Setup(spec, options, pools, caps).Run();
}

}  // namespace corelane::pmd
