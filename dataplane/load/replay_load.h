// Sends recorded frames again: at their own pace, at a rate, or as fast as it
// goes; and counts what comes in meanwhile.
#ifndef CORELANE_DATAPLANE_LOAD_REPLAY_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_REPLAY_LOAD_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/api/frame_sink.h"
#include "dataplane/load/frame_tape.h"
#include "dataplane/load/load.h"
#include "proto/base/address.h"

namespace corelane::dataplane {

class Pipeline;

struct ReplayLoadConfig {
  enum class Pace : uint8_t {
    kOwn,      // each frame at its time
    kRate,     // evenly, load.rate frames per second
    kFastest,  // as the device takes them
  };

  // `duration`: nothing is sent after it. `timeout`: for how long the device
  // may take nothing before the replay is given up.
  LoadConfig load;
  std::shared_ptr<const FrameTape> tape;  // at least one frame
  Pace pace = Pace::kOwn;
  double speed = 1;     // of kOwn: 2 takes half the time
  uint64_t passes = 1;  // 0: again and again, until `duration` is over
  // Where the frames go instead, and then from the interface's own address;
  // zero: as they were recorded.
  MacAddress target_mac;
  uint16_t interface = 0;
};

// The clock starts when the device has taken the first frame: a memif whose
// other end is not there yet takes none. The tally's latency is how late frames
// were handed to the device. `kOk` are the frames that were, `kNotSent` those
// that were due in vain.
//
// All frames that come in are counted, and dropped except for ARP's: the stack
// does not meddle.
class ReplayLoad final : public Load, public FrameSink {
 public:
  explicit ReplayLoad(const ReplayLoadConfig& config);
  // Sees the frames from now on. `pipeline` outlives this.
  void Attach(Pipeline* pipeline);

  void OnConnections(std::span<ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
  Time OnTurn(Time now) override;
  bool Finished() const override { return state_ == State::kOver; }
  Duration Lasted(Time now) const override;
  uint32_t OnFrames(uint16_t interface, std::span<Packet*> burst,
                    Time now) override;

  // Whether the device took nothing any more; why() says so, too.
  bool gave_up() const { return gave_up_; }
  // After the core has stopped: moves what the device never took, and the
  // tally has as sent, to where it belongs.
  void TakeBackUnsent(Tally& tally) const;

  // How long a pass takes at the frames' own pace: to the next one's first
  // frame, which follows the last as one frame follows another on average.
  static Duration PassLength(const FrameTape& tape, double speed);

 private:
  using Pace = ReplayLoadConfig::Pace;
  enum class State : uint8_t {
    kOpening,   // the first frame waits for the device
    kSending,   // as they are due
    kDraining,  // the last ones wait for the device
    kSettling,  // something may come in yet
    kOver,
  };

  Time Advance(Time now);
  // At most so many.
  void Send(Time now, uint32_t most);
  void Push(Packet* packet, Time due, Time now);
  void Next();
  bool AllPushed() const { return plan_.passes != 0 && pass_ == plan_.passes; }
  // Of the next frame; the first is due at once.
  Time Due(Time now) const;
  uint32_t Waiting() const;
  // False if the device has taken nothing for too long.
  bool DeviceMoves(Time now);
  // Frames that were due before `at` and have not been pushed.
  uint64_t Owed(Time at) const;
  void GiveUp(Time now);

  ReplayLoadConfig plan_;
  const FrameTape& tape_;
  double slowness_;  // 1 / speed
  Duration pass_length_;
  Pipeline* pipeline_ = nullptr;
  State state_ = State::kOpening;
  bool rewrites_ = false;
  std::array<uint8_t, 12> macs_{};  // what frames then begin with
  size_t next_ = 0;                 // frame of the pass
  uint64_t pass_ = 0;
  uint64_t pushed_ = 0;
  uint64_t taken_ = 0;       // of those, by the device, at least
  Time moved_ = kTimeNever;  // when it last took some
  Time turn_ = kTimeZero;    // the last one
  Time done_ = kTimeNever;   // when it had taken all
  Time heard_ = kTimeZero;   // when something last came in
  bool gave_up_ = false;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_REPLAY_LOAD_H_
