// The highest rate at which nothing is lost (RFC 2544 section 26.1).
#ifndef CORELANE_DATAPLANE_LOAD_RATE_SEARCH_H_
#define CORELANE_DATAPLANE_LOAD_RATE_SEARCH_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/load/packet_load.h"

namespace corelane::dataplane {

struct RateSearchConfig {
  std::vector<uint16_t> sizes;  // of frames, with FCS; each searched for
  double loss = 0;              // share of the packets that may be lost
};

struct FoundRate {
  uint16_t size = 0;
  double rate = 0;  // packets per second that came back; 0: none was found
  double loss = 0;  // share lost at that
  uint32_t trials = 0;
};

// Runs one trial after the other: first at the given rate or, if that is 0, as
// fast as it goes, then halving the range, to within 1 %.
class RateSearch final : public Load {
 public:
  RateSearch(const PacketLoadConfig& trial, const RateSearchConfig& search)
      : Load(trial.load),
        trial_config_(trial),
        first_rate_(trial.load.rate),
        search_(search) {}
  absl::Status Attach(Pipeline* pipeline, uint16_t id);

  void OnConnections(std::span<ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
  Time OnTurn(Time now) override;
  bool Finished() const override { return over_; }
  Tally TakeTally() override;
  Duration Lasted(Time now) const override { return now - began_at_; }

  // One for each size that was searched for to the end.
  const std::vector<FoundRate>& found() const { return found_; }

 private:
  absl::Status NextTrial();
  void Judge();

  PacketLoadConfig trial_config_;
  double first_rate_;
  RateSearchConfig search_;
  Pipeline* pipeline_ = nullptr;
  uint16_t id_ = 0;
  std::unique_ptr<PacketLoad> trial_;
  Tally sum_;  // of the trial
  size_t size_ = 0;
  double low_ = 0;   // loses little enough
  double high_ = 0;  // loses too much, or is not known yet
  FoundRate best_;
  uint32_t trials_ = 0;
  std::vector<FoundRate> found_;
  Time began_at_ = kTimeZero;
  bool over_ = false;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_RATE_SEARCH_H_
