// Asks over TCP, a connection for each request, and remembers none of them: for
// rates and numbers that a complete TCP of our own would be the limit of.
#ifndef CORELANE_DATAPLANE_LOAD_STATELESS_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_STATELESS_LOAD_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/api/frame_sink.h"
#include "dataplane/load/load.h"
#include "dataplane/load/open_count.h"
#include "dataplane/load/stateless_client.h"

namespace corelane::dataplane {

// Its tally's latencies are from when a connection was due to the first bytes
// of its answer, by the timestamps that the server echoes. What became of a
// connection is known when it ends; those whose end is not seen are lost: a SYN
// or the end itself was, or came too late. The rest the server sends again.
class StatelessLoad final : public Load, public FrameSink {
 public:
  // Of `load`, `concurrency` is how many are open at most.
  StatelessLoad(const LoadConfig& load, const StatelessConfig& client);
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

  uint64_t open() const { return open_.open(); }

 private:
  // Of the connections of one slice. Which of them ended how is not known, but
  // how many: an end is that of one whose answer was seen and that has not
  // ended yet.
  struct Sum {
    uint64_t sent = 0;
    uint64_t ended = 0;
    uint64_t right = 0;  // answers that no end has been found for so far
    uint64_t wrong = 0;
    uint64_t other = 0;  // segments that begin no answer
  };

  void Send(Time now);
  void Open(Time due, Time now);
  void Note(const StatelessSeen& seen, Time now);
  void NotePayload(const StatelessSeen& seen, Time due, Time now);
  static Outcome EndOf(Sum& sum);
  Sum& SumOf(Time due);
  void End();

  StatelessClient client_;
  OpenCount open_;
  std::vector<Sum> sums_;  // of each slice, or of all
  Time leave_ = kTimeNever;
  bool over_ = false;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_STATELESS_LOAD_H_
