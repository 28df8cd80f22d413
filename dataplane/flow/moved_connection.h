// A connection on its way from one core to another.
#ifndef CORELANE_DATAPLANE_FLOW_MOVED_CONNECTION_H_
#define CORELANE_DATAPLANE_FLOW_MOVED_CONNECTION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/arp/packet.h"
#include "proto/base/time.h"
#include "proto/tcp/bbr_state.h"
#include "proto/tcp/config.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::dataplane {

// All of it by value: what it had queued is copied, so that no packet, chunk or
// index of the core that it leaves goes along. The cores share a clock, and so
// times and deadlines stay as they are.
struct MovedConnection {
  struct Neighbor {
    uint16_t interface = 0;
    arp::Packet heard;  // what told of it, or could have
  };

  tcp::FlowKey key;
  uint16_t from = 0;
  uint16_t to = 0;
  // Nothing moves: the flow has ended at `from`, and its home core need not
  // send its segments there any more. What follows is empty.
  bool over = false;
  // When it left; nobody may take it up before that (clocks are read once per
  // turn, and another core's reading may be older).
  Time left_at = kTimeZero;
  // Who is next on the way to the peer, so that nothing waits for ARP there.
  std::optional<Neighbor> neighbor;
  tcp::ControlBlock block;
  std::optional<tcp::SendState> sending;  // its `bbr` is null; what it was:
  std::optional<tcp::BbrState> bbr;
  std::optional<tcp::Config> options;   // unless they are the stack's own
  std::vector<uint8_t> unacknowledged;  // from SND.UNA on
  std::vector<uint8_t> unread;          // up to RCV.NXT
  std::vector<uint8_t> luggage;         // the application's, see OnLeave
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_MOVED_CONNECTION_H_
