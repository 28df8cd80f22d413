#include "dataplane/runtime/live_network.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "dataplane/runtime/host_addresses.h"
#include "dataplane/runtime/runtime.h"

namespace corelane::runtime {
namespace {

using dataplane::Pipeline;

constexpr Duration kCoreTimeout = 2s;
// Control blocks looked at between two turns.
constexpr uint32_t kSlice = 1024;

constexpr size_t kNoInterface = ~size_t{0};

// The interface that an address is on. Which there are does not change.
size_t InterfaceOf(const DeviceAddress& a, const Pipeline& pipeline) {
  if (a.vlan == dataplane::kNoVlan) return a.device;
  for (const dataplane::Interface& i : pipeline.interfaces()) {
    if (i.config.device == a.device && i.config.vlan == a.vlan) return i.index;
  }
  return kNoInterface;
}

dataplane::NetworkConfig NetworkOf(const RuntimeOptions& options,
                                   const Pipeline& pipeline) {
  dataplane::NetworkConfig network;
  network.addresses.resize(pipeline.interfaces().size());
  for (const DeviceAddress& a : options.addresses) {
    network.addresses[InterfaceOf(a, pipeline)].push_back(a.prefix);
  }
  network.routes = options.routes;
  return network;
}

ClaimState StateOf(const arp::Announcer& announcer) {
  if (announcer.usable()) return ClaimState::kInUse;
  return announcer.state() == arp::AnnouncerState::kContested
             ? ClaimState::kContested
             : ClaimState::kProbing;
}

// Of what several cores say, what counts: one of them hears a rival.
int Gravity(ClaimState state) {
  if (state == ClaimState::kContested) return 2;
  return state == ClaimState::kProbing ? 1 : 0;
}

}  // namespace

absl::Status LiveNetwork::Reconfigure(uint32_t core,
                                      const RuntimeOptions& options) {
  absl::Status result;
  absl::Status called = runtime_.core(core).mailbox().Call(
      [&](Pipeline& pipeline) {
        result = pipeline.Reconfigure(NetworkOf(options, pipeline));
      },
      kCoreTimeout);
  return called.ok() ? result : called;
}

absl::Status LiveNetwork::Apply(const RuntimeOptions& wanted) {
  if (absl::Status s = CheckOptions(wanted); !s.ok()) return s;
  if (absl::Status s = CheckHostAddresses(wanted); !s.ok()) return s;
  for (const DeviceAddress& a : wanted.addresses) {
    if (InterfaceOf(a, runtime_.core(0).pipeline()) != kNoInterface) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "addr add ", ToString(a.prefix), "@", PlaceOf(a),
        ": VLANs are made at start only; start with an --addr on this one"));
  }
  for (uint32_t i = 0; i < runtime_.cores(); ++i) {
    absl::Status s = Reconfigure(i, wanted);
    if (s.ok()) continue;
    for (uint32_t k = 0; k < i; ++k) {
      // It worked a moment ago.
      Reconfigure(k, runtime_.options()).IgnoreError();
    }
    return s;
  }
  runtime_.SetNetwork(wanted.addresses, wanted.routes);
  return absl::OkStatus();
}

absl::Status LiveNetwork::AddAddress(const DeviceAddress& address) {
  RuntimeOptions wanted = runtime_.options();
  wanted.addresses.push_back(address);
  return Apply(wanted);
}

absl::Status LiveNetwork::RemoveAddress(Ipv4Address address) {
  RuntimeOptions wanted = runtime_.options();
  const size_t removed = std::erase_if(
      wanted.addresses,
      [&](const DeviceAddress& a) { return a.prefix.address == address; });
  if (removed == 0) {
    return absl::NotFoundError(
        absl::StrCat(ToString(address),
                     " is no address of this instance; corelane addr lists "
                     "them"));
  }
  if (wanted.addresses.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(ToString(address),
                     " is the only address; add another one before, or stop "
                     "the instance"));
  }
  if (absl::Status s = CheckUnbound(address); !s.ok()) return s;
  if (absl::Status s = Apply(wanted); !s.ok()) return s;
  return AbortConnections(address);
}

// Listeners and UDP sockets are the same on every core.
absl::Status LiveNetwork::CheckUnbound(Ipv4Address address) {
  std::optional<uint16_t> bound;
  absl::Status called = runtime_.core(0).mailbox().Call(
      [&](Pipeline& pipeline) {
        for (const auto& l : pipeline.tcp().listeners().all()) {
          if (l.in_use && l.address == address) bound = l.port;
        }
        for (const auto& s : pipeline.udp().sockets()) {
          if (s.in_use && s.address == address) bound = s.port;
        }
      },
      kCoreTimeout);
  if (!called.ok() || !bound.has_value()) return called;
  return absl::FailedPreconditionError(absl::StrCat(
      ToString(address), ": a socket is bound to ", ToString(address), ":",
      *bound, "; it stays as long as the instance runs"));
}

absl::Status LiveNetwork::AbortConnections(Ipv4Address address) {
  for (uint32_t i = 0; i < runtime_.cores(); ++i) {
    uint32_t next = 0;
    bool done = false;
    while (!done) {
      absl::Status s = runtime_.core(i).mailbox().Call(
          [&](Pipeline& pipeline) {
            dataplane::TcpLayer& tcp = pipeline.tcp();
            const uint32_t end =
                std::min(next + kSlice, tcp.blocks().high_water());
            for (; next < end; ++next) {
              const tcp::ControlBlock& cb = tcp.block(next);
              if (cb.state != tcp::State::kClosed && cb.generation != 0 &&
                  cb.key.local() == address) {
                tcp.Break(next);
              }
            }
            done = next >= tcp.blocks().high_water();
          },
          kCoreTimeout);
      if (!s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

absl::Status LiveNetwork::AddRoute(const dataplane::StaticRoute& route) {
  RuntimeOptions wanted = runtime_.options();
  wanted.routes.push_back(route);
  return Apply(wanted);
}

absl::Status LiveNetwork::RemoveRoute(const Ipv4Prefix& destination,
                                      Ipv4Address gateway) {
  RuntimeOptions wanted = runtime_.options();
  const size_t removed =
      std::erase_if(wanted.routes, [&](const dataplane::StaticRoute& r) {
        return r.destination == destination &&
               (gateway.IsAny() || r.gateway == gateway);
      });
  if (removed == 0) {
    return absl::NotFoundError(
        absl::StrCat("there is no route to ", ToString(destination),
                     gateway.IsAny() ? "" : " through ",
                     gateway.IsAny() ? "" : ToString(gateway),
                     " that could be removed; corelane route lists them"));
  }
  return Apply(wanted);
}

absl::Status LiveNetwork::FlushNeighbors() {
  for (uint32_t i = 0; i < runtime_.cores(); ++i) {
    absl::Status s = runtime_.core(i).mailbox().Call(
        [](Pipeline& pipeline) { pipeline.arp().Flush(); }, kCoreTimeout);
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AddressClaim>> LiveNetwork::Claims() {
  std::vector<AddressClaim> claims;
  for (const DeviceAddress& a : runtime_.options().addresses) {
    claims.emplace_back().address = a;
  }
  for (uint32_t i = 0; i < runtime_.cores(); ++i) {
    absl::Status s = runtime_.core(i).mailbox().Call(
        [&](Pipeline& pipeline) {
          for (AddressClaim& claim : claims) {
            const DeviceAddress& a = claim.address;
            claim.interface =
                pipeline.interfaces()[InterfaceOf(a, pipeline)].config.name;
            const auto* announcer = pipeline.arp().claim(a.prefix.address);
            if (announcer == nullptr) continue;
            const ClaimState state = StateOf(*announcer);
            if (Gravity(state) < Gravity(claim.state)) continue;
            claim.state = state;
            claim.rival = announcer->rival();
          }
        },
        kCoreTimeout);
    if (!s.ok()) return s;
  }
  return claims;
}

}  // namespace corelane::runtime
