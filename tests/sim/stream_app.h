// Clients and servers that exchange streams and check every byte.
//
// A client first sends the number of its connection (4 bytes), by which the
// server finds its plan; after that each side sends what its plan says.
#ifndef CORELANE_TESTS_SIM_STREAM_APP_H_
#define CORELANE_TESTS_SIM_STREAM_APP_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/api/application.h"
#include "dataplane/pipeline/tcp_layer.h"
#include "proto/base/rng.h"
#include "tests/sim/node.h"
#include "tests/sim/stream_bytes.h"
#include "tests/sim/workload.h"

namespace corelane::sim {

class StreamApp final : public SimApplication {
 public:
  StreamApp(Ledger* ledger, Side side);
  ~StreamApp() override;

  // Opens the connection with this number in the ledger, to kStreamPort. A
  // `local_port` of 0 is chosen by the host.
  void Connect(dataplane::TcpLayer& layer, uint32_t number, Ipv4Address remote,
               uint16_t application, uint16_t local_port);

  // Aborts what has not ended: a peer whose reset was lost, or who ran out of
  // memory, is waited for otherwise for ever.
  void GiveUp();

  // The host is restarted: nothing of what was under way goes on.
  void Die();

  void OnConnections(std::span<dataplane::ReadyConnection> ready,
                     Time now) override;
  bool OnLeave(dataplane::Connection connection,
               std::vector<uint8_t>& luggage) override;
  void OnArrive(dataplane::Connection connection,
                std::span<const uint8_t> luggage) override;
  void OnLost(uint32_t app_data, std::span<const uint8_t> luggage) override;
  void LetGo() override;

 private:
  struct Session;

  Session* SessionOf(dataplane::Connection c);
  void Identify(Session& s);
  void Pump(Session& s);
  void ReadSome(Session& s, uint32_t& budget);
  void ReadEcho(Session& s, uint32_t& budget);
  void WriteSome(Session& s, uint32_t& budget);
  bool MaybeEnd(Session& s);
  void MaybePause(Session& s, bool more);
  void OnGone(Session& s);
  void End(Session& s);
  void MaybeMove(Session& s);
  void Wrong(const Session& s, const char* what);

  Ledger& ledger_;
  Side side_;
  std::vector<std::unique_ptr<Session>> sessions_;  // by the handle's app_data
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_STREAM_APP_H_
