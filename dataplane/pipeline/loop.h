// The loop, for any kind of port: DPDK's or the simulator's.
#ifndef CORELANE_DATAPLANE_PIPELINE_LOOP_H_
#define CORELANE_DATAPLANE_PIPELINE_LOOP_H_

#include <concepts>
#include <cstdint>
#include <span>

#include "dataplane/pipeline/pipeline.h"
#include "dataplane/steering/steering.h"

namespace corelane::dataplane {

// A device queue pair. RxBurst fills in up to n packets, which the caller then
// owns; TxBurst takes some of n packets and returns how many. Neither blocks.
template <typename T>
concept PortLike = requires(T port, Packet** packets, uint16_t n) {
  { port.RxBurst(packets, n) } -> std::convertible_to<uint16_t>;
  { port.TxBurst(packets, n) } -> std::convertible_to<uint16_t>;
};

inline constexpr uint16_t kBurst = 32;

// One turn of the loop: ports[i] belongs to the pipeline's interface i. Returns
// how many packets came in or went out; 0 means that there was nothing to do.
template <PortLike Port>
uint32_t Turn(Pipeline& pipeline, std::span<Port> ports, Time now) {
  uint32_t work = 0;
  pipeline.BeginTurn(now);
  Packet* burst[kBurst];
  for (size_t i = 0; i < ports.size(); ++i) {
    const uint16_t n = ports[i].RxBurst(burst, kBurst);
    if (n > 0) pipeline.Receive(static_cast<uint16_t>(i), {burst, n});
    work += n;
  }
  pipeline.EndTurn();
  for (size_t i = 0; i < ports.size(); ++i) {
    TxQueue& tx = pipeline.tx(static_cast<uint16_t>(i));
    const std::span<Packet*> frames = tx.frames();
    if (frames.empty()) continue;
    const uint16_t n =
        ports[i].TxBurst(frames.data(), static_cast<uint16_t>(frames.size()));
    tx.Taken(n);
    work += n;
  }
  return work;
}

// The same for one core among several: `steering` is the pipeline's.
template <PortLike Port>
uint32_t TurnShared(Pipeline& pipeline, Steering& steering,
                    std::span<Port> ports, Time now) {
  uint32_t work = 0;
  pipeline.BeginTurn(now);
  Packet* burst[kBurst];
  const auto count = static_cast<uint16_t>(ports.size());
  for (uint16_t i = 0; i < count; ++i) {
    if (!steering.HasQueue(i)) continue;
    const uint16_t n = ports[i].RxBurst(burst, kBurst);
    if (n == 0) continue;
    work += n;
    const uint16_t ours = steering.Sort(i, {burst, n});
    if (ours > 0) pipeline.Receive(i, {burst, ours});
  }
  work += steering.Deliver();
  pipeline.EndTurn();
  for (uint16_t i = 0; i < count; ++i) {
    TxQueue& tx = pipeline.tx(i);
    if (tx.frames().empty()) continue;
    if (!steering.HasQueue(i)) {
      work += steering.PostFrames(i);
      continue;
    }
    const std::span<Packet*> frames = tx.frames();
    const uint16_t n =
        ports[i].TxBurst(frames.data(), static_cast<uint16_t>(frames.size()));
    tx.Taken(n);
    work += n;
  }
  steering.Flush();
  return work;
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_LOOP_H_
