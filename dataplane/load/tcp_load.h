// Asks over TCP: echo, or HTTP/1.1, on connections that stay or on one for each
// request.
#ifndef CORELANE_DATAPLANE_LOAD_TCP_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_TCP_LOAD_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "dataplane/load/load.h"
#include "proto/http/answer.h"

namespace corelane::dataplane {

class TcpLayer;

struct TcpLoadConfig {
  LoadConfig load;
  enum class Protocol : uint8_t { kEcho, kHttp } protocol = Protocol::kEcho;
  // What is sent; for echo also what is to come back.
  std::string request;
  int expected_status = 200;  // HTTP
  // A connection for each request; load.concurrency is how many at once.
  bool connection_per_request = false;
  // Connections that stay are opened at this rate; 0: all at once.
  double open_rate = 0;
};

class TcpLoad final : public Load {
 public:
  explicit TcpLoad(const TcpLoadConfig& config);
  // Before the first turn. `tcp` outlives this; `id` is what AddApplication
  // said.
  void Attach(TcpLayer* tcp, uint16_t id) {
    tcp_ = tcp;
    id_ = id;
  }

  void OnConnections(std::span<ReadyConnection> ready, Time now) override;
  Time OnTurn(Time now) override;
  bool Finished() const override;

  // Connections that are there.
  uint32_t open() const { return open_; }

 private:
  enum class Phase : uint8_t {
    kAbsent,   // no connection
    kOpening,  // SYN sent
    kReady,    // nothing asked
    kBusy,     // asked, not answered
    kLeaving,  // answered; the server is to close
  };

  struct Client {
    Connection connection;
    Time due = kTimeZero;  // when the request was meant to be sent
    uint32_t serial = 0;   // of what is waited for
    uint32_t sent = 0;     // bytes of the request
    uint32_t got = 0;      // bytes of the echo
    Phase phase = Phase::kAbsent;
    bool has_request = false;  // a connection of its own is opened for one
  };
  struct Wait {
    uint32_t client;
    uint32_t serial;
    Time until;
  };

  bool closed_loop() const { return !pace_.has_value(); }
  void Greet(Time now);
  void Go(Time now);
  void OpenSome(Time now);
  void AssignDue(Time now, uint32_t most);
  void Assign(Time due, Time now);
  // False if there is no connection to be had just now.
  bool Open(uint32_t client, Time now);
  void Ask(uint32_t client, Time due, Time now);
  void SendRest(Client& c);
  void Read(uint32_t client, Time now);
  void ReadEcho(uint32_t client, Time now);
  void ReadHttp(uint32_t client, Time now);
  void OnEnd(uint32_t client, Time now);
  void Answered(uint32_t client, bool keep, Time now);
  void Ready(uint32_t client, Time now);
  // The connection is gone; `outcome` is what its request came to.
  void Lost(uint32_t client, Outcome outcome, Time now);
  void Absent(uint32_t client, Time now);
  void Note(const Client& c, Outcome outcome);
  void WaitFor(uint32_t client, Time now);
  void GiveUpLate(Time now);

  TcpLoadConfig options_;
  TcpLayer* tcp_ = nullptr;
  uint16_t id_ = 0;
  std::vector<Client> clients_;
  std::vector<http::AnswerReader> readers_;  // HTTP only
  std::deque<uint32_t> ready_;
  std::deque<uint32_t> absent_;
  std::deque<Time> backlog_;  // due, and no connection was free
  std::deque<Wait> waits_;    // in the order of `until`
  std::optional<Pace> open_pace_;
  Time open_again_ = kTimeZero;  // not before, after one has failed
  uint32_t next_source_ = 0;
  uint32_t open_ = 0;
  uint32_t busy_ = 0;  // opening or asked
  bool over_ = false;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_TCP_LOAD_H_
