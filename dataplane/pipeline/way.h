// A destination that was sent to before: which interface leads there, and the
// Ethernet header that frames to it begin with. It is found in one look, where
// the layers would go through the route table and the neighbour cache.
//
// It holds as long as routes and addresses are what they were (`version`) and
// the neighbour's MAC address is (NeighborCache::Use, which also counts as
// use).
#ifndef CORELANE_DATAPLANE_PIPELINE_WAY_H_
#define CORELANE_DATAPLANE_PIPELINE_WAY_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/pipeline/interface.h"
#include "proto/arp/neighbor_cache.h"
#include "proto/base/address.h"
#include "proto/base/time.h"
#include "proto/ethernet/header.h"

namespace corelane::dataplane {

// How to reach a destination.
struct Path {
  Interface* interface = nullptr;
  Ipv4Address next_hop;  // on the link
  Ipv4Address source;    // ours, on that link
  uint16_t mtu = 0;      // of that link
};

struct alignas(64) Way {
  Ipv4Address destination;
  uint32_t version = 0;  // 0: none
  Path path;
  arp::NeighborCache* neighbors = nullptr;
  uint32_t neighbor = 0;
  uint32_t generation = 0;
  std::array<uint8_t, ethernet::kHeaderLength> header{};

  bool Holds(Ipv4Address to, uint32_t current, Time now) {
    return destination == to && version == current &&
           neighbors->Use(neighbor, generation, now);
  }
};
static_assert(sizeof(Way) == 64);

// The ways used last, one for each value of a hash.
class WayTable {
 public:
  Way& operator[](Ipv4Address destination) {
    return ways_[destination.value() * 0x9e3779b1u >> (32 - kBits)];
  }

 private:
  static constexpr int kBits = 6;
  std::array<Way, size_t{1} << kBits> ways_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_WAY_H_
