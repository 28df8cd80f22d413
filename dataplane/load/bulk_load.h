// Streams bytes over TCP, one way, on connections that stay.
#ifndef CORELANE_DATAPLANE_LOAD_BULK_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_BULK_LOAD_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "dataplane/load/load.h"
#include "proto/base/sequence.h"

namespace corelane::dataplane {

class TcpLayer;

struct BulkLoadConfig {
  // `rate`: bytes per second over all connections; 0: as the windows allow.
  // `timeout`: of opening, and for how long a stream may stand still.
  LoadConfig load;
  enum class Way : uint8_t { kSend, kReceive } way = Way::kSend;
  // Receiving: whether the bytes have to be chargen's text.
  bool check = true;
};

// Its tally's bytes are what was acknowledged and what was read; `sent` are
// streams, of which those that last to the end are ok.
class BulkLoad final : public Load {
 public:
  explicit BulkLoad(const BulkLoadConfig& config);
  // Before the first turn. `tcp` outlives this; `id` is what AddApplication
  // said.
  void Attach(TcpLayer* tcp, uint16_t id) {
    tcp_ = tcp;
    id_ = id;
  }

  void OnConnections(std::span<ReadyConnection> ready, Time now) override;
  Time OnTurn(Time now) override;
  bool Finished() const override { return over_; }
  Duration Lasted(Time now) const override;
  Tally TakeTally() override;

 private:
  enum class Phase : uint8_t { kAbsent, kOpening, kOpen };
  struct Stream {
    Connection connection;
    Time moved_at = kTimeZero;  // when the last byte got through
    SeqNum counted;             // acknowledged up to here
    uint32_t at = 0;            // in the text: the next byte
    Phase phase = Phase::kAbsent;
    bool moved = false;
    bool waits = false;  // is in waiting_
  };

  void OpenSome(Time now);
  void Open(uint32_t stream, Time now);
  // Sends or reads what there is and what the rate allows.
  void Pump(uint32_t stream, Time now);
  void Send(Stream& s);
  bool Read(Stream& s, Time now);
  void Wait(uint32_t stream);
  void PumpWaiting(Time now);
  void Lost(uint32_t stream, Outcome outcome, Time now);
  // Counts what has been acknowledged since.
  void Settle(Stream& s, Time now);
  void SettleAll(Time now);
  void GiveUpStuck(Time now);
  // Counting begins and ends.
  void TurnCounting(Time now);
  void NoteSegments();  // since the last time
  // Bytes that may move just now.
  uint32_t Allowance() const;
  void EarnAllowance(Time now);

  BulkLoadConfig options_;
  TcpLayer* tcp_ = nullptr;
  uint16_t id_ = 0;
  std::vector<uint8_t> text_;
  std::vector<Stream> streams_;
  std::deque<uint32_t> absent_;
  std::deque<uint32_t> waiting_;  // for the rate
  Time open_again_ = kTimeZero;
  Time look_at_ = kTimeNever;  // for streams that stand still
  Time earned_at_ = kTimeZero;
  double allowance_ = 0;  // bytes
  bool greeted_ = false;
  bool counting_ = false;
  bool over_ = false;
  Time counted_from_ = kTimeNever;
  Time counted_to_ = kTimeNever;
  Time now_ = kTimeZero;
  uint64_t segments_in_ = 0;  // noted so far
  uint64_t segments_out_ = 0;
  uint32_t next_source_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_BULK_LOAD_H_
