// A started port.
#ifndef CORELANE_PMD_PORT_H_
#define CORELANE_PMD_PORT_H_

#include <rte_ethdev.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "pmd/device_spec.h"
#include "pmd/packet_mempool.h"
#include "pmd/port_config.h"

namespace corelane::pmd {

struct PortLink {
  bool up = false;
  uint32_t mbps = 0;  // 0: unknown
  bool full_duplex = true;
};

struct PortStats {
  uint64_t rx_packets = 0;
  uint64_t tx_packets = 0;
  uint64_t rx_bytes = 0;
  uint64_t tx_bytes = 0;
  uint64_t rx_missed = 0;  // dropped by the device: we polled too late
  uint64_t rx_errors = 0;
  uint64_t tx_errors = 0;     // those that the device refused are among them
  uint64_t rx_no_packet = 0;  // the pool was empty
};

// Opened and closed by one control thread; each queue is polled by one core.
// The pools outlive it.
class Port {
 public:
  // Configures and starts the device that the EAL made for `spec`. Receive
  // queue i takes its packets from pools[i % pools.size()].
  static absl::StatusOr<std::unique_ptr<Port>> Open(
      const DeviceSpec& spec, const PortOptions& options,
      std::span<PacketMempool* const> pools);

  // Stops and closes the device. Nobody may be polling any more.
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  uint16_t id() const { return caps_.port_id; }
  const PortCaps& caps() const { return caps_; }

  // Up to `n` received packets, now owned by the caller.
  uint16_t RxBurst(uint16_t queue, rte_mbuf** packets, uint16_t n) {
    return rte_eth_rx_burst(caps_.port_id, queue, packets, n);
  }
  // Hands packets to the device, which drops one reference of each when done.
  // Returns how many it took; the rest stay the caller's.
  uint16_t TxBurst(uint16_t queue, rte_mbuf** packets, uint16_t n) {
    return rte_eth_tx_burst(caps_.port_id, queue, packets, n);
  }

  // The device would not send such a packet, which is dropped.
  void NoteRefused() { refused_.fetch_add(1, std::memory_order_relaxed); }

  // For control threads; none of these waits.
  PortLink LinkStatus() const;
  PortStats Stats() const;
  // The driver's own counters, name and value; empty if it has none.
  std::vector<std::pair<std::string, uint64_t>> Xstats() const;
  void ResetStats();

 private:
  Port() = default;

  PortCaps caps_;
  std::atomic<uint64_t> refused_ = 0;
  bool opened_ = false;
};

// One queue of a port, for the core that owns it.
class PortQueue {
 public:
  PortQueue(Port* port, uint16_t queue)
      : port_id_(port->id()),
        queue_(queue),
        prepares_(port->caps().tso_piece != 0),
        port_(port) {}

  uint16_t RxBurst(rte_mbuf** packets, uint16_t n) {
    return rte_eth_rx_burst(port_id_, queue_, packets, n);
  }
  // What the device did not take comes first in the next call.
  uint16_t TxBurst(rte_mbuf** packets, uint16_t n) {
    if (prepares_) return TxPrepared(packets, n);
    return rte_eth_tx_burst(port_id_, queue_, packets, n);
  }

  const PortCaps& caps() const { return port_->caps(); }
  uint16_t queue() const { return queue_; }

 private:
  // A driver may have to change what it is to cut, and must do so once.
  uint16_t TxPrepared(rte_mbuf** packets, uint16_t n);

  uint16_t port_id_;
  uint16_t queue_;
  bool prepares_;
  uint16_t prepared_ = 0;  // frames at the front that the device did not take
  Port* port_;
};

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_PORT_H_
