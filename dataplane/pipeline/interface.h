// One network interface as one core sees it: a device (or a VLAN on it) with
// its addresses and its queue of frames to send.
#ifndef CORELANE_DATAPLANE_PIPELINE_INTERFACE_H_
#define CORELANE_DATAPLANE_PIPELINE_INTERFACE_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataplane/packet/packet.h"
#include "proto/base/address.h"

namespace corelane::dataplane {

// What the device does for us; what is false is done in software.
struct DeviceCaps {
  bool tx_ipv4_checksum = false;
  bool tx_tcp_checksum = false;
  bool tx_udp_checksum = false;
  bool tx_multi_segs = false;
  // It takes bytes from wherever they lie, not from packet memory alone.
  bool tx_any_memory = false;
  // It cuts a large TCP segment into pieces of up to so many bytes of payload
  // (TSO; 0: it does not), which lies in at most so many buffers.
  uint16_t tso_piece = 0;
  uint16_t tso_buffers = 0;
};

inline constexpr uint16_t kNoVlan = 0xffff;
inline constexpr uint16_t kOwnDevice = 0xffff;

struct InterfaceConfig {
  std::string name;
  MacAddress mac;
  uint16_t mtu = 1500;
  uint16_t vlan = kNoVlan;
  // A VLAN's sub-interface: the index of the interface whose device it is on,
  // and whose MAC address, MTU and capabilities it has.
  uint16_t device = kOwnDevice;
  DeviceCaps caps;
  std::vector<Ipv4Prefix> addresses;
  // All addresses in these are ours as well, for those who ask as many: they
  // are answered for, but neither probed for nor announced, and no network is
  // on the link for them.
  std::vector<Ipv4Prefix> ranges;
};

// Frames that wait for the end of the turn. When it is full, whoever could wait
// (TCP) leaves its work for the next turn, and whoever could not is dropped.
class TxQueue {
 public:
  static constexpr uint32_t kCapacity = 512;

  uint32_t room() const { return kCapacity - count_; }
  bool Push(Packet* packet) {
    if (count_ == kCapacity) return false;
    frames_[count_++] = packet;
    return true;
  }
  std::span<Packet*> frames() { return {frames_.data(), count_}; }
  // The device took the first `n`.
  void Taken(uint32_t n) {
    for (uint32_t i = n; i < count_; ++i) frames_[i - n] = frames_[i];
    count_ -= n;
  }

 private:
  uint32_t count_ = 0;
  std::array<Packet*, kCapacity> frames_{};
};

struct Interface {
  InterfaceConfig config;
  uint16_t index = 0;
  // Its device's frames: its own, or for a sub-interface that of its device.
  TxQueue* queue = &own_queue;
  TxQueue own_queue;

  Interface() = default;
  Interface(const Interface&) = delete;
  Interface& operator=(const Interface&) = delete;

  TxQueue& tx() { return *queue; }

  bool HasAddress(Ipv4Address a) const {
    for (const Ipv4Prefix& p : config.addresses) {
      if (p.address == a) return true;
    }
    return InRange(a);
  }
  bool InRange(Ipv4Address a) const {
    for (const Ipv4Prefix& p : config.ranges) {
      if (p.Contains(a)) return true;
    }
    return false;
  }
  bool IsDirectedBroadcast(Ipv4Address a) const {
    for (const Ipv4Prefix& p : config.addresses) {
      if (p.DirectedBroadcast() == a) return true;
    }
    return false;
  }
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_INTERFACE_H_
