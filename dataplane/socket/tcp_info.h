// TCP_INFO: a connection's state in the layout that Linux's programs know.
#ifndef CORELANE_DATAPLANE_SOCKET_TCP_INFO_H_
#define CORELANE_DATAPLANE_SOCKET_TCP_INFO_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "proto/tcp/clock.h"
#include "proto/tcp/config.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::socket {

// As long as the newest tcp_info that programs ask for. What the stack does not
// know is 0.
inline constexpr size_t kTcpInfoSize = 280;
using TcpInfo = std::array<uint8_t, kTcpInfoSize>;

// `tx` is nullptr while the connection has no need of a send state; `own_mss`
// is what was offered.
TcpInfo ConnectionInfo(const tcp::ControlBlock& cb, const tcp::SendState* tx,
                       const tcp::Config& options, uint16_t own_mss,
                       tcp::Now now);
// TCP_CC_INFO: Linux's tcp_bbr_info, all 0 where the connection does not run it
// or has nothing in flight.
using CongestionInfo = std::array<uint32_t, 5>;
CongestionInfo ControlInfo(const tcp::SendState* tx);
// How long ago data was received.
void SetLastReceived(TcpInfo& info, Duration ago);
// `waiting` connections in the accept queue of at most `backlog`.
TcpInfo ListenerInfo(uint32_t waiting, uint32_t backlog);
TcpInfo ClosedInfo();

}  // namespace corelane::socket

#endif  // CORELANE_DATAPLANE_SOCKET_TCP_INFO_H_
