// The scenarios, by what they exercise. Each file's functions are listed in
// scenarios.cc.
#ifndef CORELANE_BENCH_SCENARIOS_H_
#define CORELANE_BENCH_SCENARIOS_H_

#include <cstdint>
#include <memory>

#include "bench/scenario.h"

namespace corelane::bench {

// ---- echo_scenarios.cc
// The frames of UdpEcho with nothing but addresses and ports swapped.
std::unique_ptr<Scenario> MakeSwap();
std::unique_ptr<Scenario> MakeUdpEcho(bool offload);
// One byte in, the application, the byte out with the ACK on it.
std::unique_ptr<Scenario> MakeTcpEcho(uint32_t connections, bool offload,
                                      bool peer_options);

// The same for one core of several (scaling.cc).
std::unique_ptr<Scenario> MakeTcpEchoOfMany(uint32_t connections,
                                            uint16_t cores);

// ---- http_scenarios.cc
// A keep-alive request with a body of 128 bytes for an answer.
std::unique_ptr<Scenario> MakeHttpKeepAlive(uint32_t connections);
// From the SYN to both FINs, and until TIME-WAIT has ended: one operation.
std::unique_ptr<Scenario> MakeHttpConnection();
// SYN and ACK: one operation. `connections` are opened, and then others.
std::unique_ptr<Scenario> MakeEstablish(uint32_t connections);
std::unique_ptr<Scenario> MakeEstablishFresh(uint32_t connections);

// ---- bulk_scenarios.cc
// ACKs of all that is in flight, on connections in random order.
std::unique_ptr<Scenario> MakePureAck(uint32_t connections);
// In-order segments of 1,460 bytes, thrown away by the application.
std::unique_ptr<Scenario> MakeBulkReceive(bool offload);
// Segments of 1,460 bytes from static memory; every second one is
// acknowledged, and that is counted in.
std::unique_ptr<Scenario> MakeBulkSend();
// The same through a device that cuts large segments (TSO), to a peer that
// acknowledges so many segments at once: 2, or as many as come in a burst where
// it puts them together before it looks at them (GRO, LRO).
std::unique_ptr<Scenario> MakeBulkSendTso(uint32_t acked_at_once);

}  // namespace corelane::bench

#endif  // CORELANE_BENCH_SCENARIOS_H_
