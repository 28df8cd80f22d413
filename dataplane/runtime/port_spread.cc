#include "dataplane/runtime/port_spread.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace corelane::runtime {
namespace {

// Entries of our own redirection table: a multiple of every number of cores
// would be fairest; this is within 1 % for up to 16.
constexpr size_t kOwnTable = 4096;

// Whether both tables lead every hash to the same queue.
bool SameTable(const std::vector<uint16_t>& a, const std::vector<uint16_t>& b) {
  const size_t period = std::lcm(a.size(), b.size());
  for (size_t hash = 0; hash < period; ++hash) {
    if (a[hash % a.size()] != b[hash % b.size()]) return false;
  }
  return true;
}

bool SpreadsLike(const pmd::PortCaps& caps, const SpreadPlan& plan) {
  return std::equal(caps.rss.key.begin(), caps.rss.key.begin() + 16,
                    plan.key.begin()) &&
         SameTable(caps.rss.queue_of, plan.core_of);
}

}  // namespace

SpreadPlan PlanSpread(std::span<const pmd::PortCaps> ports, uint16_t cores,
                      const std::vector<uint8_t>& own_key) {
  SpreadPlan plan;
  for (const pmd::PortCaps& caps : ports) {
    PortSpread& spread = plan.ports.emplace_back();
    spread.queues = std::min(caps.queues, cores);
    if (cores == 1) {
      spread.text = "one core has them all";
    } else if (caps.rss.key.size() < 16 || caps.rss.queue_of.empty() ||
               caps.queues != cores) {
      spread.text = absl::StrCat("in software: ",
                                 caps.no_rss.empty() ? "no RSS" : caps.no_rss);
    } else if (!plan.key.empty() && !SpreadsLike(caps, plan)) {
      spread.text = "in software: another port's RSS differs";
    } else {
      spread.by_device = true;
      spread.text = "by the device's RSS";
      if (plan.key.empty()) {
        plan.key = caps.rss.key;
        plan.core_of = caps.rss.queue_of;
      }
    }
  }
  if (!plan.key.empty()) return plan;
  plan.key = own_key;
  for (size_t i = 0; i < kOwnTable; ++i) {
    plan.core_of.push_back(static_cast<uint16_t>(i % cores));
  }
  return plan;
}

std::vector<dataplane::PortShare> SpreadPlan::SharesOf(uint16_t core) const {
  std::vector<dataplane::PortShare> shares;
  for (const PortSpread& port : ports) {
    dataplane::PortShare share;
    share.sender = static_cast<uint16_t>(core % port.queues);
    share.device_spreads = port.by_device;
    shares.push_back(share);
  }
  return shares;
}

}  // namespace corelane::runtime
