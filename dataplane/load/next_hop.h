// Where frames for a target go, for loads that write whole frames.
#ifndef CORELANE_DATAPLANE_LOAD_NEXT_HOP_H_
#define CORELANE_DATAPLANE_LOAD_NEXT_HOP_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "dataplane/api/udp_socket.h"
#include "proto/base/address.h"
#include "proto/base/time.h"

namespace corelane::dataplane {

class Pipeline;

class NextHop {
 public:
  // `pipeline` outlives this; `id` is what AddApplication said. NotFound when
  // there is no route, InvalidArgument when it leads to a VLAN, for which
  // `who` would have to write tags.
  absl::Status Attach(Pipeline* pipeline, uint16_t id, UdpEndpoint target,
                      const std::string& who);

  // Its MAC address; zero as long as it is not known. Asks for it (a datagram
  // to the target makes the stack do so), now and again().
  MacAddress Find(Time now);
  Time again() const { return again_; }
  // Nothing is asked any more.
  void Close() { socket_.Close(); }

  uint16_t interface() const { return interface_; }
  Ipv4Address address() const { return address_; }
  // What we ask from, by route.
  Ipv4Address source() const { return source_; }

 private:
  Pipeline* pipeline_ = nullptr;
  UdpEndpoint target_;
  UdpSocket socket_;
  uint16_t interface_ = 0;
  Ipv4Address address_;
  Ipv4Address source_;
  Time again_ = kTimeZero;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_NEXT_HOP_H_
