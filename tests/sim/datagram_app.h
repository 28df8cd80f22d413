// UDP echo of datagrams of any size, and pings.
#ifndef CORELANE_TESTS_SIM_DATAGRAM_APP_H_
#define CORELANE_TESTS_SIM_DATAGRAM_APP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/api/application.h"
#include "dataplane/api/udp_socket.h"
#include "proto/base/rng.h"
#include "tests/sim/frames.h"
#include "tests/sim/node.h"
#include "tests/sim/stream_bytes.h"

namespace corelane::sim {

// Sends every datagram back: by copying, or the packet itself.
class UdpEchoServer final : public SimApplication {
 public:
  explicit UdpEchoServer(uint64_t seed) : rng_(seed, 0x0dd) {}
  void OnConnections(std::span<dataplane::ReadyConnection> ready,
                     Time now) override;
  void OnDatagrams(std::span<dataplane::Datagram> datagrams, Time now) override;

 private:
  Rng rng_;
};

// Sends datagrams, each with its number in front, and checks what comes back.
class UdpClient final : public SimApplication {
 public:
  explicit UdpClient(uint64_t seed) : seed_(seed) {}

  void set_socket(dataplane::UdpSocket socket) { socket_ = socket; }
  // `size` from 4 to 65507.
  void Send(const dataplane::UdpEndpoint& to, uint32_t size);

  void OnConnections(std::span<dataplane::ReadyConnection> ready,
                     Time now) override;
  void OnDatagrams(std::span<dataplane::Datagram> datagrams, Time now) override;
  void OnDatagramError(const dataplane::DatagramError& error) override;

  uint32_t sent() const { return static_cast<uint32_t>(sizes_.size()); }
  uint32_t answered() const { return answered_; }
  uint32_t errors() const { return errors_; }
  const std::string& failure() const { return failure_; }

 private:
  uint64_t seed_;
  dataplane::UdpSocket socket_;
  std::vector<uint32_t> sizes_;  // by number
  std::vector<bool> seen_;
  uint32_t answered_ = 0;
  uint32_t errors_ = 0;
  std::string failure_;
};

// Makes echo requests as though a host sent them, and looks for the replies on
// its wire.
class Pinger {
 public:
  Pinger(const Ends& ends, uint64_t seed) : ends_(ends), seed_(seed) {}

  // The next request, with so many bytes of payload.
  Frame Next(uint32_t size);
  // Shows a frame that came back. True if it is a reply to one of ours.
  bool Saw(ByteView frame);

  uint32_t sent() const { return sent_; }
  uint32_t answered() const { return answered_; }
  const std::string& failure() const { return failure_; }

 private:
  static constexpr uint16_t kIdentifier = 0x51a7;

  Ends ends_;
  uint64_t seed_;
  uint32_t sent_ = 0;
  uint32_t answered_ = 0;
  std::string failure_;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_DATAGRAM_APP_H_
