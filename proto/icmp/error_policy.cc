#include "proto/icmp/error_policy.h"

#include <algorithm>
#include <bit>

#include "proto/icmp/message.h"

namespace corelane::icmp {

ErrorVerdict MaySendError(const ipv4::Header& offending, ByteView payload,
                          bool link_group, bool local_broadcast) {
  if (link_group) return ErrorVerdict::kLinkGroup;
  if (!offending.destination.IsUnicastHost() || local_broadcast) {
    return ErrorVerdict::kGroupDestination;
  }
  if (!offending.source.IsUnicastHost()) {
    return ErrorVerdict::kSourceNotOneHost;
  }
  if (offending.fragment_offset != 0) return ErrorVerdict::kNotFirstFragment;
  // Too short to tell counts as an error.
  if (offending.protocol == ipv4::kIcmp &&
      (payload.empty() || MayBeError(payload[0]))) {
    return ErrorVerdict::kAboutError;
  }
  return ErrorVerdict::kMaySend;
}

ErrorLimiter::ErrorLimiter(const ErrorLimits& limits, const SipKey& secret)
    : limits_(limits),
      secret_(secret),
      rng_(secret, /*stream=*/0x49434d50),
      global_tokens_(limits.global_burst),
      recovered_at_(std::bit_ceil(std::max<size_t>(limits.buckets, 1)),
                    Time::min()) {}

void ErrorLimiter::RefillGlobal(Time now) {
  const auto earned = (now - global_refilled_) / limits_.global_interval;
  if (earned <= 0) return;
  global_refilled_ += earned * limits_.global_interval;
  const uint32_t room =
      rng_.Between(limits_.global_burst / 2, limits_.global_burst);
  const auto tokens = static_cast<uint64_t>(earned) + global_tokens_;
  global_tokens_ = static_cast<uint32_t>(std::min<uint64_t>(tokens, room));
}

bool ErrorLimiter::Allow(Ipv4Address to, Time now) {
  const uint32_t address = to.value();
  const uint64_t hash = SipHash13(
      secret_,
      ByteView(reinterpret_cast<const uint8_t*>(&address), sizeof(address)));
  Time& recovered_at = recovered_at_[hash & (recovered_at_.size() - 1)];
  const Time start = std::max(recovered_at, now);
  const Duration burst =
      limits_.destination_interval * int64_t{limits_.destination_burst};
  if (start - now + limits_.destination_interval > burst) return false;
  RefillGlobal(now);
  if (global_tokens_ == 0) return false;
  --global_tokens_;
  recovered_at = start + limits_.destination_interval;
  return true;
}

}  // namespace corelane::icmp
