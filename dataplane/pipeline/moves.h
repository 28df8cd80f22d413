// What one core knows of connections that live on another core than the one
// that their segments reach.
//
// A flow's home is the core that the flow map names: there its segments arrive,
// whether a device or software spreads them. When the connection moves, its
// entry in the home's socket table becomes a Forward, and the home passes each
// segment on through the mailbox. Where it lives it is a guest:
//
//   home ---- state, then segments ----> guest        (Move)
//   guest --- state --> home --- state --> another    (Move again: by the home,
//                                          or it stays there for want of room)
//   guest --- "over" --> home                         (nothing is left of it)
//
// Each mailbox keeps its order: a segment that reaches a guest core after the
// connection has left it goes back to the home, behind the state.
#ifndef CORELANE_DATAPLANE_PIPELINE_MOVES_H_
#define CORELANE_DATAPLANE_PIPELINE_MOVES_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "dataplane/flow/moved_connection.h"
#include "dataplane/flow/slab.h"
#include "proto/tcp/control_block.h"

namespace corelane::dataplane {

// Found by the socket table, hence the key first.
struct Forward {
  // Nobody: the connection is on its way there.
  static constexpr uint16_t kNoCore = 0xffff;

  tcp::FlowKey key;
  uint16_t core = kNoCore;
};

// Connections that live here and have their home elsewhere, and since when.
class Guests {
 public:
  bool empty() const { return since_.empty(); }
  bool Has(const tcp::FlowKey& key) const {
    return since_.contains({key.Addresses(), key.Ports()});
  }
  void Add(const tcp::FlowKey& key, Time now) {
    since_[{key.Addresses(), key.Ports()}] = now;
  }
  // Whether it came after `time`.
  bool CameAfter(const tcp::FlowKey& key, Time time) const {
    const auto guest = since_.find({key.Addresses(), key.Ports()});
    return guest != since_.end() && guest->second > time;
  }
  // False if it was none.
  bool Remove(const tcp::FlowKey& key) {
    return since_.erase({key.Addresses(), key.Ports()}) > 0;
  }

 private:
  absl::flat_hash_map<std::pair<uint64_t, uint32_t>, Time> since_;
};

struct Moves {
  // Somebody wants a connection to go to a core.
  struct Wish {
    uint32_t index;
    uint32_t generation;
    uint16_t to;
    bool once;  // in this turn or not at all
  };

  explicit Moves(uint32_t max_forwards) : forwards(max_forwards) {}

  // Whether there is something that cannot wait for a connection's next turn.
  bool Due() const { return !outbox.empty() || !ended.empty(); }
  bool Idle() const { return wishes.empty() && !Due(); }

  Slab<Forward> forwards;
  Guests guests;
  std::vector<Wish> wishes;
  // Guests' keys that have left the socket table, perhaps for something else
  // that is in it now.
  std::vector<tcp::FlowKey> ended;
  // What found its mailbox full: that flows have ended.
  std::vector<std::unique_ptr<MovedConnection>> outbox;
  // Connections with something to do that may still go to `quota_to`.
  uint32_t quota = 0;
  uint16_t quota_to = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_MOVES_H_
