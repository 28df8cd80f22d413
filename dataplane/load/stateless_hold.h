// Opens very many connections and keeps them, without remembering any.
#ifndef CORELANE_DATAPLANE_LOAD_STATELESS_HOLD_H_
#define CORELANE_DATAPLANE_LOAD_STATELESS_HOLD_H_

#include <cstdint>

#include "absl/status/status.h"
#include "dataplane/api/frame_sink.h"
#include "dataplane/load/load.h"
#include "dataplane/load/open_count.h"
#include "dataplane/load/stateless_client.h"

namespace corelane::dataplane {

// Of `load`, `concurrency` is how many; its times begin when the last one is
// there or has failed. None is opened again. Keep-alive probes are answered (if
// the server uses timestamps), and so are data and FINs. At the end each is
// reset, lest the server keeps them.
class StatelessHold final : public Load, public FrameSink {
 public:
  // `open_rate`: connections per second; 0: as they are answered. `client`'s
  // rules are of Kind::kHold.
  StatelessHold(const LoadConfig& load, double open_rate,
                const StatelessConfig& client);
  // `pipeline` outlives this; `id` is what AddApplication said.
  absl::Status Attach(Pipeline* pipeline, uint16_t id) {
    return client_.Attach(pipeline, id, this);
  }

  void OnConnections(std::span<ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
  Time OnTurn(Time now) override;
  bool Finished() const override { return over_; }
  uint32_t OnFrames(uint16_t interface, std::span<Packet*> burst,
                    Time now) override;

 private:
  // No more connections will be opened.
  bool AllTried() const;
  bool Started(Time now);
  void OpenSome(Time now);
  void Fail(Outcome outcome, uint64_t n);
  void Note(const StatelessSeen& seen, Time now);
  // Says goodbye to all; when there is more to do, kTimeNever if there is not.
  Time ResetAll(Time now);

  StatelessClient client_;
  OpenCount opening_;
  Pace open_pace_;
  double open_rate_;
  Time began_opening_ = kTimeNever;
  uint64_t tried_ = 0;
  uint64_t reset_ = 0;
  Time leave_ = kTimeNever;
  uint64_t failed_in_a_row_ = 0;
  bool over_ = false;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_STATELESS_HOLD_H_
