// Asks over UDP: when, how many at once, and what becomes of it. What is asked
// and whether an answer is right say those that derive from it.
#ifndef CORELANE_DATAPLANE_LOAD_DATAGRAM_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_DATAGRAM_LOAD_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/load/load.h"

namespace corelane::dataplane {

class UdpLayer;

class DatagramLoad : public Load {
 public:
  // Binds the sockets. `udp` outlives this; `id` is what AddApplication said.
  absl::Status Attach(UdpLayer* udp, uint16_t id);

  void OnConnections(std::span<ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
  void OnDatagrams(std::span<Datagram> datagrams, Time now) override;
  void OnDatagramError(const DatagramError& error) override;
  Time OnTurn(Time now) override;
  bool Finished() const override { return over_ && busy_ == 0; }

 protected:
  // `sockets`: source ports, used in turn. At most `most` wait for an answer
  // at once. `silence` is what a question without an answer came to.
  DatagramLoad(const LoadConfig& config, uint32_t sockets, uint64_t most,
               Outcome silence);

  // Questions have serial numbers from 0 on; socket serial % sockets asks.
  // What the question says; valid until the next call.
  virtual ByteView Compose(uint64_t serial) = 0;
  // Which question it answers, by what stands in it; nullopt: none.
  virtual std::optional<uint64_t> SerialOf(const Datagram& answer) const = 0;
  virtual bool IsRight(uint64_t serial, const Datagram& answer) const = 0;

  uint32_t sockets() const { return static_cast<uint32_t>(sockets_.size()); }
  // Which of the sockets it is.
  uint32_t NumberOf(const UdpSocket& socket) const;
  uint64_t next() const { return next_; }  // the next question's number

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

  std::vector<UdpSocket> sockets_;
  std::vector<Question> questions_;  // by serial number; a power of two
  Outcome silence_;
  uint64_t next_ = 0;    // the next serial number
  uint64_t oldest_ = 0;  // none before it is open
  uint32_t busy_ = 0;
  bool over_ = false;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_DATAGRAM_LOAD_H_
