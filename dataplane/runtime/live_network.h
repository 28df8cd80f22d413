// Addresses and routes of a running instance, and how they change.
#ifndef CORELANE_DATAPLANE_RUNTIME_LIVE_NETWORK_H_
#define CORELANE_DATAPLANE_RUNTIME_LIVE_NETWORK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/runtime/options.h"

namespace corelane::runtime {

class Runtime;

// How far an address of ours has got.
enum class ClaimState : uint8_t {
  kProbing,    // asking whether another host has it
  kInUse,      // answered for
  kContested,  // another host has it: not in use
};

struct AddressClaim {
  DeviceAddress address;
  std::string interface;
  ClaimState state = ClaimState::kInUse;
  MacAddress rival;  // whose it is, when contested
};

// Each change is checked as a whole, as at start, and then made by every core
// between two of its turns; when one core does not make it, none keeps it.
// Control threads call it, one at a time.
class LiveNetwork {
 public:
  explicit LiveNetwork(Runtime* runtime) : runtime_(*runtime) {}
  LiveNetwork(const LiveNetwork&) = delete;
  LiveNetwork& operator=(const LiveNetwork&) = delete;

  // Claims it: Claims() tells how that goes on (about 0.3 s).
  absl::Status AddAddress(const DeviceAddress& address);
  // Its connections are aborted. The last address stays, as does one that a
  // listener or UDP socket is bound to.
  absl::Status RemoveAddress(Ipv4Address address);
  absl::Status AddRoute(const dataplane::StaticRoute& route);
  // All ways there, or the one through `gateway`.
  absl::Status RemoveRoute(const Ipv4Prefix& destination,
                           Ipv4Address gateway = Ipv4Address());
  // Forgets all neighbours; those still needed are asked for again.
  absl::Status FlushNeighbors();

  absl::StatusOr<std::vector<AddressClaim>> Claims();

 private:
  absl::Status Apply(const RuntimeOptions& wanted);
  absl::Status Reconfigure(uint32_t core, const RuntimeOptions& options);
  absl::Status CheckUnbound(Ipv4Address address);
  absl::Status AbortConnections(Ipv4Address address);

  Runtime& runtime_;
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_LIVE_NETWORK_H_
