// Asks over UDP and wants the same bytes back.
#ifndef CORELANE_DATAPLANE_LOAD_UDP_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_UDP_LOAD_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/load/load.h"

namespace corelane::dataplane {

class UdpLayer;

struct UdpLoadConfig {
  LoadConfig load;
  uint32_t size = 64;    // of a datagram's payload, at least kMinSize
  uint32_t sockets = 1;  // source ports
};

class UdpLoad final : public Load {
 public:
  static constexpr uint32_t kMinSize = 8;  // a serial number is in it

  explicit UdpLoad(const UdpLoadConfig& config);
  // Binds the sockets. `udp` outlives this; `id` is what AddApplication said.
  absl::Status Attach(UdpLayer* udp, uint16_t id);

  void OnConnections(std::span<ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
  void OnDatagrams(std::span<Datagram> datagrams, Time now) override;
  void OnDatagramError(const DatagramError& error) override;
  Time OnTurn(Time now) override;
  bool Finished() const override;

 private:
  struct Question {
    uint64_t serial = 0;
    Time due = kTimeZero;
    Time until = kTimeZero;
    bool open = false;
  };

  Question& SlotOf(uint64_t serial) {
    return questions_[serial & (questions_.size() - 1)];
  }
  void Ask(Time due, Time now);
  void Conclude(Question& q, Outcome outcome);
  void GiveUpLate(Time now);

  UdpLoadConfig options_;
  std::vector<UdpSocket> sockets_;
  std::vector<uint8_t> payload_;
  std::vector<Question> questions_;  // by serial number; a power of two
  uint64_t next_ = 0;                // the next serial number
  uint64_t oldest_ = 0;              // none before it is open
  uint32_t busy_ = 0;
  bool over_ = false;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_UDP_LOAD_H_
