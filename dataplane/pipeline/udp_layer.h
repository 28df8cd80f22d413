// One core's UDP: sockets, and datagrams to and from them.
#ifndef CORELANE_DATAPLANE_PIPELINE_UDP_LAYER_H_
#define CORELANE_DATAPLANE_PIPELINE_UDP_LAYER_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "dataplane/api/application.h"
#include "dataplane/api/udp_socket.h"
#include "dataplane/pipeline/core.h"
#include "dataplane/pipeline/ipv4_layer.h"

namespace corelane::dataplane {

struct UdpSocketState {
  Ipv4Address address;  // 0.0.0.0: every address of ours
  uint16_t port = 0;
  uint16_t application = 0;
  bool in_use = false;
  bool connected = false;
  uint8_t tos = 0;
  uint8_t ttl = ipv4::kDefaultTtl;
  UdpEndpoint peer;
  uint64_t datagrams_in = 0;
  uint64_t datagrams_out = 0;
};

class UdpLayer {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  UdpLayer(Core* core, Ipv4Layer* ip, IcmpLayer* icmp);
  ~UdpLayer();
  UdpLayer(const UdpLayer&) = delete;
  UdpLayer& operator=(const UdpLayer&) = delete;

  // Port 0 picks a free one at random, which no other core has either: what
  // comes for it comes here, from whomever. kAlreadyExists if the pair is
  // taken.
  absl::StatusOr<UdpSocket> Bind(Ipv4Address address, uint16_t port,
                                 uint16_t application);

  // As with port 0, for the answers of `remote` to what goes out by route: a
  // port with which a device with RSS brings them to this core, if one is
  // found.
  absl::StatusOr<UdpSocket> BindFor(const UdpEndpoint& remote,
                                    uint16_t application);

  // Takes a packet whose data is the UDP datagram, `in.header` being its IP
  // header. `ip_header` is where that stands (quoted in errors).
  void Receive(const Ipv4Packet& in, const uint8_t* ip_header);
  // A datagram that came in fragments, in one piece; delivered at once.
  void ReceiveReassembled(const Ipv4Packet& in, ByteView datagram);
  // The same in two steps, for a datagram that has been checked. Which socket
  // it is for; kNone if there is none.
  uint32_t FindAgain(const UdpEndpoint& local, const UdpEndpoint& remote) {
    const Known& known = known_[local.port % known_.size()];
    if (known.socket != kNone && known.local == local) [[likely]] {
      return known.socket;
    }
    return FindAndRemember(local, remote);
  }
  // Takes a packet whose data is the payload. `has_headers`: plain ones stand
  // before it, of an untagged frame between these two.
  void Deliver(uint32_t socket, const UdpEndpoint& local,
               const UdpEndpoint& remote, Packet* packet,
               bool has_headers = false) {
    ++sockets_[socket].datagrams_in;
    ++core_.counters.udp_in;
    ++core_.counters.delivered;
    if (arrived_count_ == arrived_.size()) Flush();
    arrived_[arrived_count_++] = {UdpSocket(this, socket), local,  remote,
                                  BytesOf(packet),         packet, has_headers};
  }
  // Tells applications of what was received in this turn.
  void Notify(std::span<Application* const> applications);

  // False if there is no such socket.
  bool OnIcmpError(const UdpEndpoint& local, const UdpEndpoint& remote,
                   uint8_t type, uint8_t code);

  // UdpSocket's functions.
  absl::Status SendTo(uint32_t socket, const UdpEndpoint& to, ByteView payload,
                      Ipv4Address from);
  void SendPacketTo(uint32_t socket, const UdpEndpoint& to, Packet* packet,
                    Ipv4Address from);
  void Return(Datagram& datagram);
  void Connect(uint32_t socket, const UdpEndpoint& peer);
  void Disconnect(uint32_t socket);
  void SetIpOptions(uint32_t socket, uint8_t tos, uint8_t ttl);
  void Close(uint32_t socket);

  // The other core that has the only sockets on a port; kNobody: none.
  static constexpr uint16_t kNobody = 0xffff;
  uint16_t OtherHome(uint16_t port) const;

  // The socket that is bound to just that; nullptr if there is none.
  const UdpSocketState* Bound(Ipv4Address address, uint16_t port) const {
    const auto it = by_key_.find(Key(address, port));
    return it == by_key_.end() ? nullptr : &sockets_[it->second];
  }
  const std::vector<UdpSocketState>& sockets() const { return sockets_; }

 private:
  static uint64_t Key(Ipv4Address address, uint16_t port) {
    return uint64_t{address.value()} << 16 | port;
  }
  uint32_t Find(Ipv4Address address, uint16_t port,
                const UdpEndpoint& remote) const;
  bool PortIsFree(Ipv4Address address, uint16_t port);
  uint32_t FindAndRemember(const UdpEndpoint& local, const UdpEndpoint& remote);
  void ForgetKnown() { known_.fill({}); }
  bool MakePath(uint32_t socket, const UdpEndpoint& to, Ipv4Address from,
                Path& path, OutputSpec& spec) const;
  bool SendOnKnownWay(uint32_t socket, const UdpEndpoint& to, Packet* packet,
                      Ipv4Address from);
  void Flush();

  Core& core_;
  Ipv4Layer& ip_;
  IcmpLayer& icmp_;
  std::vector<UdpSocketState> sockets_;  // indices are stable
  absl::flat_hash_map<uint64_t, uint32_t> by_key_;
  // Sockets that hear everybody, as they were found last.
  struct Known {
    UdpEndpoint local;
    uint32_t socket = kNone;
  };
  std::array<Known, 16> known_;
  std::span<Application* const> applications_;
  std::array<Datagram, 64> arrived_;
  uint32_t arrived_count_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_UDP_LAYER_H_
