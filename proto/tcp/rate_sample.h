// Delivery rate estimation (draft-ietf-ccwg-bbr section 4.1): how fast what was
// sent a round trip ago has arrived.
//
// What the draft keeps with each packet is kept here in a log over time: a
// record says what was known when something left, and stands for all that left
// until the next record. It is found again by the time of transmission, which
// the scoreboard knows of each run. A record that is a little older than a
// transmission makes its sample a little longer, not wrong.
//
// All times are microseconds in 32 bits, all counts bytes in 32 bits: both
// wrap, and are only compared with their like of about a round trip ago.
#ifndef CORELANE_PROTO_TCP_RATE_SAMPLE_H_
#define CORELANE_PROTO_TCP_RATE_SAMPLE_H_

#include <array>
#include <cstdint>

namespace corelane::tcp {

struct Delivery;

// The names are the draft's: P.delivered and so on.
struct SendRecord {
  uint32_t sent_us = 0;
  uint32_t delivered = 0;
  uint32_t delivered_us = 0;
  uint32_t first_sent_us = 0;
  uint32_t lost = 0;
  uint32_t in_flight = 0;  // after the last of what it stands for
  bool app_limited = false;
};

// What one acknowledgment says of the path (RS.*).
struct RateSample {
  bool valid = false;  // something was delivered of which there is a record
  bool app_limited = false;
  uint32_t newly_acked = 0;      // delivered by this acknowledgment
  uint32_t newly_lost = 0;       // marked lost since the last one
  uint32_t rtt_us = 0;           // 0: none
  uint32_t prior_delivered = 0;  // of the latest transmission that arrived
  uint32_t delivered = 0;        // since that left
  uint32_t lost = 0;             // since that left
  uint32_t in_flight = 0;        // when that had left
  uint64_t rate = 0;             // bytes per second; 0: none
};

// No path is faster than this many bytes per second; products with a round trip
// of a minute then fit in 64 bits.
inline constexpr uint64_t kMaxRate = uint64_t{1} << 37;

class RateSampler {
 public:
  static constexpr uint32_t kRecords = 64;

  uint32_t delivered() const { return delivered_; }
  uint32_t lost() const { return lost_; }
  bool app_limited() const { return app_limited_; }

  // Something leaves at `now_us`; with it `in_flight` bytes are under way, and
  // none were before if `was_idle`. Records may be `grain_us` apart.
  void OnSend(uint32_t now_us, uint32_t in_flight, bool was_idle,
              uint32_t grain_us);

  // `bytes` that left at `sent_us` are deemed lost. Returns the record of them;
  // null if there is none any more.
  const SendRecord* OnLost(uint32_t bytes, uint32_t sent_us);

  // `bytes` have arrived, as `delivery` says. Samples that are shorter than
  // `min_rtt_us` are none: something was acknowledged that had been sent twice.
  RateSample OnAck(uint32_t bytes, const Delivery& delivery,
                   uint32_t min_rtt_us, uint32_t now_us);

  // MarkConnectionAppLimited(): samples count as limited by the application
  // until what is `in_flight` now has arrived.
  void MarkAppLimited(uint32_t in_flight) {
    app_limited_ = true;
    app_limited_until_ = delivered_ + in_flight;
  }

  // What is under way gives no samples any more.
  void Forget() { count_ = 0; }

 private:
  // The last record that is not younger than a transmission at `sent_us`.
  const SendRecord* Find(uint32_t sent_us) const;

  uint32_t delivered_ = 0;      // C.delivered
  uint32_t delivered_us_ = 0;   // C.delivered_time
  uint32_t first_sent_us_ = 0;  // C.first_send_time
  uint32_t lost_ = 0;           // C.lost
  uint32_t app_limited_until_ = 0;
  bool app_limited_ = false;
  uint8_t next_ = 0;   // where the next record goes
  uint8_t count_ = 0;  // how many there are before it
  std::array<SendRecord, kRecords> records_{};
};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_RATE_SAMPLE_H_
