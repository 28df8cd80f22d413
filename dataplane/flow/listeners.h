// Sockets in LISTEN, keyed by (address or any, port). An exact address wins
// over 0.0.0.0.
#ifndef CORELANE_DATAPLANE_FLOW_LISTENERS_H_
#define CORELANE_DATAPLANE_FLOW_LISTENERS_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "proto/base/address.h"

namespace corelane::dataplane {

inline constexpr uint16_t kAnyPort = 0xffff;  // "whichever device"

struct Listener {
  Ipv4Address address;  // 0.0.0.0: every address of ours
  uint16_t port = 0;
  uint16_t device = kAnyPort;  // or the one port that it is tied to
  uint16_t application = 0;
  uint16_t profile = 0;       // options that its connections inherit
  uint32_t backlog = 0;       // requests it may have pending
  uint32_t requests = 0;      // and has
  uint32_t accept_limit = 0;  // connections not taken yet; 0: no limit
  uint32_t waiting = 0;       // how many there are, if there is a limit
  uint32_t app_data = 0;      // that its connections start with

  // Whether one more connection would find no place in the accept queue.
  bool AcceptQueueFull() const {
    return accept_limit != 0 && waiting >= accept_limit;
  }
  bool in_use = false;
};

class Listeners {
 public:
  // The index of the new listener; kAlreadyExists if the pair is taken.
  absl::StatusOr<uint32_t> Add(const Listener& listener);
  void Remove(uint32_t index);

  // The listener for a SYN, or nullptr. `device` is where it arrived.
  Listener* Find(Ipv4Address address, uint16_t port, uint16_t device);

  // The one that is bound to just that; nullptr if there is none.
  const Listener* Bound(Ipv4Address address, uint16_t port) const {
    const auto it = by_key_.find(Key(address, port));
    return it == by_key_.end() ? nullptr : &all_[it->second];
  }

  Listener& operator[](uint32_t index) { return all_[index]; }
  const Listener& operator[](uint32_t index) const { return all_[index]; }
  const std::vector<Listener>& all() const { return all_; }
  uint32_t IndexOf(const Listener* listener) const {
    return static_cast<uint32_t>(listener - all_.data());
  }

 private:
  static uint64_t Key(Ipv4Address address, uint16_t port) {
    return uint64_t{address.value()} << 16 | port;
  }

  std::vector<Listener> all_;  // indices are stable
  absl::flat_hash_map<uint64_t, uint32_t> by_key_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_LISTENERS_H_
