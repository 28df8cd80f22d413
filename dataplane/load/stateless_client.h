// What stateless loads have in common: opens connections from one address and
// port after the other, and answers for all of them.
#ifndef CORELANE_DATAPLANE_LOAD_STATELESS_CLIENT_H_
#define CORELANE_DATAPLANE_LOAD_STATELESS_CLIENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/api/frame_sink.h"
#include "dataplane/load/frame_backlog.h"
#include "dataplane/load/load.h"
#include "dataplane/load/next_hop.h"
#include "dataplane/load/stateless_frame.h"
#include "dataplane/load/stateless_segment.h"

namespace corelane::dataplane {

struct StatelessConfig {
  StatelessRules rules;
  // Microseconds that are added to the clock: a server that has seen a run
  // before takes a later one's timestamps for newer ones (RFC 6191).
  uint32_t epoch = 0;
  // Ports of each address, from kFirstPort on.
  uint32_t ports = kMostPorts;

  static constexpr uint16_t kFirstPort = 1024;
  static constexpr uint32_t kMostPorts = 65536 - kFirstPort;
};

// What a segment meant.
struct StatelessSeen {
  bool ours = false;  // else it is the stack's
  StatelessAnswer::Event event = StatelessAnswer::Event::kNone;
  StatelessAnswer::Payload payload = StatelessAnswer::Payload::kNone;
  uint16_t bytes = 0;      // of payload
  uint16_t requested = 0;  // bytes of the request that went out for it
  // When its connection was due; nothing if the server echoes no timestamps,
  // and for resets.
  std::optional<Time> due;
};

class StatelessClient {
 public:
  enum class State : uint8_t { kAsking, kReady, kNobody };

  // Target and sources are the load's.
  StatelessClient(const LoadConfig& load, const StatelessConfig& config)
      : target_(load.target), sources_(load.sources), config_(config) {}

  // `pipeline` outlives this; `id` is what AddApplication said, `sink` who is
  // to see its frames. Errors are those of NextHop::Attach.
  absl::Status Attach(Pipeline* pipeline, uint16_t id, FrameSink* sink);

  // Looks for the target's MAC address; kNobody after `timeout`.
  State Resolve(Time now, Duration timeout);
  Time again() const { return next_hop_.again(); }
  // Why it is kNobody.
  std::string why() const;

  // Addresses and ports: so many connections at once.
  uint64_t flows() const { return sources_.size() * uint64_t{config_.ports}; }
  // At the beginning of each turn: sends what had to wait. After Close, at the
  // end, nothing waits any more.
  void Flush();
  void Close();
  // How many SYNs may be sent without the device falling behind, and without
  // taking the room of answers.
  uint32_t Room() const;
  // When that was due, as it will be told: in whole microseconds.
  Time Rounded(Time due) const;
  // Sends a SYN from the next address and port. False if there is no packet.
  bool Open(Time due);
  // Sends a reset from the next one, for those that stay. Rewind first.
  bool Reset();
  void Rewind() { source_ = port_at_ = 0; }

  // Answers the frame if it is for one of us; it is freed then.
  StatelessSeen Take(uint16_t interface, Packet* packet, Time now);

 private:
  Packet* Alloc();
  void Push(Packet* packet);
  // False if there is no room.
  bool Queue(Packet* packet);
  uint16_t port() const {
    return static_cast<uint16_t>(StatelessConfig::kFirstPort + port_at_);
  }
  void NextFlow();
  // Where a flow began, this time or the time before.
  SeqNum IsnOf(Ipv4Address source, uint16_t port, SeqNum ack) const;
  uint32_t Micros(Time time) const;
  std::optional<Time> DueOf(uint32_t echo, Time now) const;

  UdpEndpoint target_;
  std::vector<Ipv4Address> sources_;
  StatelessConfig config_;
  Pipeline* pipeline_ = nullptr;
  NextHop next_hop_;
  StatelessIsn isn_;
  std::optional<StatelessWriter> writer_;
  Time give_up_ = kTimeNever;
  // Answers for which there was no room: nobody could make them again.
  FrameBacklog waiting_;
  bool closed_ = false;
  size_t source_ = 0;     // the next flow: index of its address ...
  uint32_t port_at_ = 0;  // ... and of its port
  uint32_t round_ = 0;    // all flows have been used so often
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_STATELESS_CLIENT_H_
