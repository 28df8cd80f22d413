// Packets instead of requests: sends probes at a rate or as fast as it can,
// counts what comes back, or turns round what others send.
#ifndef CORELANE_DATAPLANE_LOAD_PACKET_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_PACKET_LOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/api/frame_sink.h"
#include "dataplane/load/load.h"
#include "dataplane/load/next_hop.h"
#include "dataplane/load/probe.h"
#include "dataplane/load/sequence_meter.h"

namespace corelane::dataplane {

class Pipeline;

struct PacketLoadConfig {
  enum class Mode : uint8_t {
    kBoth,     // sends, and counts what comes back
    kSend,     // only sends
    kReceive,  // only counts probes that another one sends
    kReflect,  // swaps addresses and ports, and sends back (UDP and TCP)
  };

  bool Sends() const { return mode == Mode::kBoth || mode == Mode::kSend; }

  LoadConfig load;  // rate 0: as fast as it goes. `timeout`: of the last probe
  Mode mode = Mode::kBoth;
  uint32_t flows = 1;
  // Of several cores that share the flows; what comes back to one may have been
  // sent by another.
  uint32_t core = 0;
  uint32_t cores = 1;
  std::vector<uint16_t> sizes = {kMinProbe};
  // Where frames go; zero: where ARP says that the target is.
  MacAddress target_mac;
};

class PacketLoad final : public Load, public FrameSink {
 public:
  static constexpr uint32_t kMaxFlows = 1u << 22;

  explicit PacketLoad(const PacketLoadConfig& config);
  // Sees the frames from now on. `pipeline` outlives this; `id` is what
  // AddApplication said. NotFound when there is no route to the target.
  absl::Status Attach(Pipeline* pipeline, uint16_t id);

  void OnConnections(std::span<ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
  void OnDatagrams(std::span<Datagram> /*datagrams*/, Time /*now*/) override {}
  Time OnTurn(Time now) override;
  bool Finished() const override { return over_; }
  uint32_t OnFrames(uint16_t interface, std::span<Packet*> burst,
                    Time now) override;

  // Whether its tally says what was lost. Of several cores none knows what the
  // others got, nor what becomes of a rate that is over: then it is for whoever
  // adds up the tallies, sent - ok.
  static bool CountsLost(const PacketLoadConfig& config) {
    return config.cores == 1 && config.load.rates.empty();
  }
  // Probes that are missing by their numbers, so far.
  int64_t missing() const { return missing_; }

 private:
  using Mode = PacketLoadConfig::Mode;

  bool sends() const { return options_.Sends(); }
  // Finds the target's MAC address; true when it is known.
  bool Resolve(Time now);
  // At most so many.
  void Send(Time now, uint32_t most);
  // Returns how many of `n` there were packets for.
  uint32_t SendBurst(uint32_t n, Time due);
  void Add(Outcome outcome, int64_t n);
  void CountProbe(const ProbeStamp& stamp, uint16_t length, Time now);
  bool Reflect(uint16_t interface, Packet* packet);
  void End();

  PacketLoadConfig options_;
  Mode mode_;
  Pipeline* pipeline_ = nullptr;
  NextHop next_hop_;
  uint16_t interface_ = 0;
  std::optional<ProbeWriter> writer_;
  std::vector<SequenceMeter> meters_;
  Time give_up_ = kTimeNever;  // asking; or waiting for the last probes
  uint64_t came_back_ = 0;     // of those that count
  uint64_t went_out_ = 0;
  int64_t missing_ = 0;
  bool over_ = false;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_PACKET_LOAD_H_
