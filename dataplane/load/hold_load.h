// Opens very many connections, keeps them, and asks on a share of them.
#ifndef CORELANE_DATAPLANE_LOAD_HOLD_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_HOLD_LOAD_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "dataplane/load/load.h"

namespace corelane::dataplane {

class TcpLayer;

struct HoldLoadConfig {
  // `concurrency`: connections. `rate`: requests per second over the active
  // ones; 0: none. The times begin when the last connection is there or has
  // failed. None is opened again.
  LoadConfig load;
  double open_rate = 0;  // connections per second; 0: as they are answered
  uint32_t active = 0;   // connections that are asked, in turn
  std::string request;   // what is asked, and to come back
};

// Its tally's requests are those of the active connections; failures are those
// of connections too.
class HoldLoad final : public Load {
 public:
  explicit HoldLoad(const HoldLoadConfig& config);
  // Before the first turn. `tcp` outlives this; `id` is what AddApplication
  // said.
  void Attach(TcpLayer* tcp, uint16_t id) {
    tcp_ = tcp;
    id_ = id;
  }

  void OnConnections(std::span<ReadyConnection> ready, Time now) override;
  Time OnTurn(Time now) override;
  bool Finished() const override { return over_ && asked_.empty(); }

 private:
  enum class Phase : uint8_t { kOpening, kHeld, kGone };
  // All that a connection costs here; the rest of it is the stack's.
  struct Client {
    uint32_t connection = 0;
    Phase phase = Phase::kOpening;
  };
  struct Opening {
    uint32_t client;
    Time until;
  };
  // A connection that is asked now and then.
  struct Active {
    uint32_t client = 0;
    uint32_t serial = 0;  // of its last request
    uint32_t sent = 0;    // bytes of it
    uint32_t got = 0;
    Time due = kTimeZero;
    bool busy = false;
  };
  struct Asked {
    uint32_t active;
    uint32_t serial;
    Time until;
  };

  bool IsHeld(uint32_t client) const {
    return clients_[client].phase == Phase::kHeld;
  }
  // No more connections will be opened.
  bool AllTried() const;
  void Greeted(Time now);
  void OpenSome(Time now);
  void Open(Time now);
  void OnOpened(uint32_t client, Time now);
  void AskDue(Time now);
  void Ask(uint32_t active, Time due, Time now);
  void SendRest(Active& a);
  void Read(uint32_t client, Time now);
  void Lost(uint32_t client, Outcome outcome, Time now);
  void GiveUpLate(Time now);
  // The client's number among the active ones; kNone if it is none of them.
  uint32_t ActiveOf(uint32_t client) const;
  Connection ConnectionOf(uint32_t client) const;

  HoldLoadConfig options_;
  TcpLayer* tcp_ = nullptr;
  uint16_t id_ = 0;
  std::vector<Client> clients_;  // as many as have been tried
  std::deque<Opening> opening_;  // in the order of `until`; some are done
  uint32_t pending_ = 0;         // that are opening
  uint32_t failed_in_a_row_ = 0;
  std::vector<Active> active_;
  std::deque<uint32_t> idle_;  // active ones that may be asked
  std::deque<Time> backlog_;   // due, and none was idle
  std::deque<Asked> asked_;    // in the order of `until`
  Pace open_pace_;
  Time began_opening_ = kTimeNever;
  bool greeted_ = false;
  bool over_ = false;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_HOLD_LOAD_H_
