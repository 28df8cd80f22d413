#include "proto/tcp/rate_sample.h"

#include <algorithm>

#include "proto/tcp/sent_list.h"

namespace corelane::tcp {
namespace {

constexpr uint32_t kMask = RateSampler::kRecords - 1;
static_assert((RateSampler::kRecords & kMask) == 0);

bool After(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }

}  // namespace

const SendRecord* RateSampler::Find(uint32_t sent_us) const {
  for (uint32_t back = 1; back <= count_; ++back) {
    const SendRecord& record = records_[(next_ - back) & kMask];
    if (!After(record.sent_us, sent_us)) return &record;
  }
  return nullptr;
}

void RateSampler::OnSend(uint32_t now_us, uint32_t in_flight, bool was_idle,
                         uint32_t grain_us) {
  if (was_idle) {
    Forget();
    first_sent_us_ = delivered_us_ = now_us;
  }
  if (count_ > 0) {
    SendRecord& last = records_[(next_ - 1u) & kMask];
    if (now_us - last.sent_us <= grain_us) {
      last.in_flight = in_flight;
      last.app_limited = last.app_limited || app_limited_;
      return;
    }
  }
  SendRecord& record = records_[next_];
  record.sent_us = now_us;
  record.delivered = delivered_;
  record.delivered_us = delivered_us_;
  record.first_sent_us = first_sent_us_;
  record.lost = lost_;
  record.in_flight = in_flight;
  record.app_limited = app_limited_;
  next_ = static_cast<uint8_t>((next_ + 1u) & kMask);
  count_ = static_cast<uint8_t>(std::min<uint32_t>(count_ + 1u, kRecords));
}

const SendRecord* RateSampler::OnLost(uint32_t bytes, uint32_t sent_us) {
  lost_ += bytes;
  return Find(sent_us);
}

RateSample RateSampler::OnAck(uint32_t bytes, const Delivery& delivery,
                              uint32_t min_rtt_us, uint32_t now_us) {
  RateSample sample;
  sample.newly_acked = bytes;
  if (bytes > 0) {
    delivered_ += bytes;
    delivered_us_ = now_us;
  }
  if (app_limited_ && After(delivered_, app_limited_until_)) {
    app_limited_ = false;
  }
  if (!delivery.has_latest) return sample;
  const uint32_t age_us = std::max<uint32_t>(now_us - delivery.latest_us, 1);
  if (!delivery.latest_resent) {
    sample.rtt_us = age_us;
  } else if (age_us < min_rtt_us) {
    return sample;  // it is the first transmission that has arrived
  }
  first_sent_us_ = delivery.latest_us;
  const SendRecord* record = Find(delivery.latest_us);
  if (record == nullptr) return sample;
  sample.valid = true;
  sample.app_limited = record->app_limited;
  sample.prior_delivered = record->delivered;
  sample.delivered = delivered_ - record->delivered;
  sample.lost = lost_ - record->lost;
  sample.in_flight = record->in_flight;
  const uint32_t send_us = delivery.latest_us - record->first_sent_us;
  const uint32_t ack_us = now_us - record->delivered_us;
  const uint32_t interval_us = std::max(send_us, ack_us);
  if (interval_us < std::max<uint32_t>(min_rtt_us, 1)) return sample;
  sample.rate =
      std::min(uint64_t{sample.delivered} * 1'000'000 / interval_us, kMaxRate);
  return sample;
}

}  // namespace corelane::tcp
