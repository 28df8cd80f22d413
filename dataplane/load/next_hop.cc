#include "dataplane/load/next_hop.h"

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/pipeline.h"
#include "proto/ipv4/header.h"

namespace corelane::dataplane {
namespace {

constexpr Duration kAskAgain = 200ms;

}  // namespace

absl::Status NextHop::Attach(Pipeline* pipeline, uint16_t id,
                             UdpEndpoint target, const std::string& who) {
  pipeline_ = pipeline;
  target_ = target;
  Path path;
  if (!pipeline->ip().FindPath({.destination = target.address,
                                .source = Ipv4Address(),
                                .source_port = 0,
                                .destination_port = 0,
                                .protocol = ipv4::kUdp},
                               path)) {
    return absl::NotFoundError(absl::StrCat(
        "--target ", ToString(target.address),
        ": no route leads there; give an --addr of its network or a "
        "--gateway"));
  }
  if (path.interface->config.vlan != kNoVlan) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--target ", ToString(target.address), ": it is on a VLAN, and ", who,
        " sends without tags; give an --addr without @vlan"));
  }
  interface_ = path.interface->index;
  address_ = path.next_hop;
  source_ = path.source;
  auto socket = pipeline->udp().Bind(path.source, 0, id);
  if (!socket.ok()) return socket.status();
  socket_ = *socket;
  return absl::OkStatus();
}

MacAddress NextHop::Find(Time now) {
  const arp::NeighborCache& cache = pipeline_->arp().cache(interface_);
  for (uint32_t i = 0; i < cache.capacity(); ++i) {
    const auto neighbor = cache.At(i, now);
    if (neighbor.has_value() && neighbor->address == address_ &&
        !neighbor->mac.IsZero()) {
      return neighbor->mac;
    }
  }
  if (now >= again_) {
    again_ = now + kAskAgain;
    const uint8_t nothing[1] = {};
    // It waits for the answer; so does the caller.
    (void)socket_.SendTo(target_, nothing);
  }
  return {};
}

}  // namespace corelane::dataplane
