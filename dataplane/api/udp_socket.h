// UDP as an application sees it.
#ifndef CORELANE_DATAPLANE_API_UDP_SOCKET_H_
#define CORELANE_DATAPLANE_API_UDP_SOCKET_H_

#include <cstdint>

#include "absl/status/status.h"
#include "dataplane/packet/packet.h"
#include "proto/base/address.h"
#include "proto/base/bytes.h"

namespace corelane::dataplane {

class UdpLayer;

struct Datagram;

struct UdpEndpoint {
  Ipv4Address address;
  uint16_t port = 0;
  friend bool operator==(const UdpEndpoint&, const UdpEndpoint&) = default;
};

// A handle of a bound socket; copy it freely.
class UdpSocket {
 public:
  UdpSocket() = default;
  UdpSocket(UdpLayer* udp, uint32_t index) : udp_(udp), index_(index) {}

  uint32_t index() const { return index_; }

  // Sends to an endpoint, fragmented if need be (up to 65,507 bytes). Copies.
  // `from` overrides the source address (0.0.0.0: by socket, else by route).
  absl::Status SendTo(const UdpEndpoint& to, ByteView payload,
                      Ipv4Address from = Ipv4Address());
  // Sends a packet whose data is the payload, without copying where it fits one
  // frame. Always takes ownership.
  void SendPacketTo(const UdpEndpoint& to, Packet* packet,
                    Ipv4Address from = Ipv4Address());
  // Sends a datagram of this socket's back to where it came from, unchanged.
  void Return(Datagram& datagram);
  // Only datagrams from this peer are delivered from now on.
  void Connect(const UdpEndpoint& peer);
  void Disconnect();  // from every peer again
  // What stands in the IP headers of what is sent from now on.
  void SetIpOptions(uint8_t tos, uint8_t ttl);
  void Close();

 private:
  UdpLayer* udp_ = nullptr;
  uint32_t index_ = 0xffffffff;
};

// A received datagram.
struct Datagram {
  UdpSocket socket;
  UdpEndpoint local;  // as addressed, never 0.0.0.0
  UdpEndpoint remote;
  ByteView payload;  // in one piece; valid during the callback
  // The packet whose data the payload is; nullptr if the datagram was put
  // together from fragments.
  Packet* packet = nullptr;
  // Its headers still stand in front of the payload (for UdpSocket::Return).
  bool has_headers = false;

  // Takes the packet over; the layer then does not free it.
  Packet* Take() {
    Packet* p = packet;
    packet = nullptr;
    return p;
  }
};

// An ICMP error about a datagram that was sent from `socket` to `remote`.
struct DatagramError {
  UdpSocket socket;
  UdpEndpoint remote;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_API_UDP_SOCKET_H_
