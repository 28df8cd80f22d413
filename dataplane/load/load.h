// A load: an application that asks instead of answering.
#ifndef CORELANE_DATAPLANE_LOAD_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_LOAD_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/api/application.h"
#include "dataplane/load/pace.h"
#include "dataplane/load/tally.h"
#include "proto/base/address.h"

namespace corelane::dataplane {

struct LoadConfig {
  UdpEndpoint target;
  // Our addresses to ask from, in turn; empty: by route.
  std::vector<Ipv4Address> sources;
  uint32_t concurrency = 1;  // connections, or datagrams on their way
  // Requests per second; 0: closed, each answer brings the next request.
  double rate = 0;
  // Instead of that one rate, which then is the highest of them: one after the
  // other, for equal times; or, with `ramp`, evenly from the first to the last.
  // The warm-up has the first.
  std::vector<double> rates;
  bool ramp = false;
  bool poisson = false;
  Duration warmup{};      // not counted
  Duration duration{5s};  // counted
  Duration timeout{5s};   // of an answer
  uint64_t seed = 1;
};

class Load : public Application {
 public:
  explicit Load(const LoadConfig& config) : config_(config) {
    if (config.rate > 0) {
      pace_.emplace(config.rate, config.poisson, config.seed);
    }
    if (config.rates.empty()) return;
    pace_->Follow(config.rates, config.ramp, config.warmup, config.duration);
    slices_.resize(SlicesOf(config));
  }

  // Nothing is sent any more from now on.
  void Stop() { stopped_ = true; }
  // Whether the time is over and every answer is there or given up.
  virtual bool Finished() const = 0;

  // Why it ended before it began; empty if it did not.
  const std::string& why() const { return why_; }

  // For how long requests have counted.
  virtual Duration Lasted(Time now) const {
    if (now < count_from_) return 0s;
    return std::min<Duration>(now - count_from_, config_.duration);
  }

  // What was counted since the last call; the caller adds it up.
  virtual Tally TakeTally() { return std::exchange(tally_, Tally()); }
  // Likewise, and not in TakeTally's: what became of the requests of each rate,
  // or each tenth of a ramp. Empty if there is only one rate.
  std::vector<Tally> TakeSlices() {
    return std::exchange(slices_, std::vector<Tally>(slices_.size()));
  }
  static size_t SlicesOf(const LoadConfig& config) {
    constexpr size_t kOfARamp = 10;
    return config.ramp ? kOfARamp : config.rates.size();
  }

 protected:
  // The clock runs from now on. Before, one question goes out alone: it finds
  // the server's MAC address, for which only a few may wait.
  void Begin(Time now) {
    if (began_) return;
    began_ = true;
    count_from_ = now + config_.warmup;
    end_ = count_from_ + config_.duration;
    if (pace_) pace_->Start(now);
  }
  bool began() const { return began_; }
  bool stopped() const { return stopped_; }
  bool Over(Time now) const { return stopped_ || (began_ && now >= end_); }
  bool Counts(Time intended) const { return intended >= count_from_; }
  // Where requests that were due then are counted.
  Tally& TallyOf(Time due) {
    if (slices_.empty()) return tally_;
    const double share = static_cast<double>((due - count_from_).count()) /
                         static_cast<double>(config_.duration.count());
    const double slice = share * static_cast<double>(slices_.size());
    return slices_[static_cast<size_t>(
        std::clamp(slice, 0.0, static_cast<double>(slices_.size() - 1)))];
  }
  Time CountFrom() const { return count_from_; }
  Time end() const { return end_; }

  LoadConfig config_;
  std::optional<Pace> pace_;
  Tally tally_;
  std::vector<Tally> slices_;
  std::string why_;

 private:
  bool began_ = false;
  bool stopped_ = false;
  Time count_from_ = kTimeNever;
  Time end_ = kTimeNever;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_LOAD_H_
