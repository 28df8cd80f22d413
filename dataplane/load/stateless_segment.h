// A TCP client that remembers nothing: what answers a segment is computed from
// that segment alone.
//
// Its initial sequence number is a keyed hash of addresses and ports, so that
// an acknowledgment tells how far the connection is, and whether there ever was
// one. The timestamp that the server echoes is that of the SYN, in
// microseconds: when the connection was due. It is not a complete TCP: it sends
// nothing again, and it acknowledges what comes without knowing what should
// have come before.
#ifndef CORELANE_DATAPLANE_LOAD_STATELESS_SEGMENT_H_
#define CORELANE_DATAPLANE_LOAD_STATELESS_SEGMENT_H_

#include <cstdint>
#include <string>

#include "proto/base/address.h"
#include "proto/base/bytes.h"
#include "proto/base/hash.h"
#include "proto/base/sequence.h"
#include "proto/tcp/header.h"
#include "proto/tcp/options.h"

namespace corelane::dataplane {

struct StatelessRules {
  enum class Kind : uint8_t {
    kHttp,  // the server closes when it has answered
    kEcho,  // we do, when the request has come back in one segment
    kHold,  // nothing is asked, and nobody closes
  };
  Kind kind = Kind::kHttp;
  std::string request;  // in one segment; empty for kHold
  int status = 200;     // HTTP
};

// Where flows towards one server begin.
class StatelessIsn {
 public:
  StatelessIsn() = default;
  StatelessIsn(const FlowHashKey& key, Ipv4Address target, uint16_t port)
      : key_(key), target_(target), port_(port) {}

  // Flows that come again begin kStride further on each time, past what they
  // sent before (RFC 9293 section 3.4.1).
  SeqNum Of(Ipv4Address source, uint16_t port, uint32_t round) const {
    const uint64_t addresses = uint64_t{source.value()} << 32 | target_.value();
    const uint32_t ports = uint32_t{port} << 16 | port_;
    return SeqNum(static_cast<uint32_t>(FlowHash(key_, addresses, ports)) +
                  round * kStride);
  }

 private:
  static constexpr uint32_t kStride = 1u << 17;  // more than a request

  FlowHashKey key_;
  Ipv4Address target_;
  uint16_t port_ = 0;
};

struct StatelessAnswer {
  enum class Event : uint8_t {
    kNone,      // nothing that counts
    kOpened,    // SYN-ACK
    kFinished,  // both directions are closed
    kRefused,   // RST in answer to our SYN
    kReset,     // RST later
    kForeign,   // it acknowledges what no client of ours has sent
  };
  // What the payload is, as far as one segment tells.
  enum class Payload : uint8_t {
    kNone,   // there is none
    kRight,  // the answer, or its beginning
    kWrong,  // another answer than the one that was wanted
    kOther,  // bytes that begin no answer: the rest of one, or none at all
  };

  Event event = Event::kNone;
  Payload payload = Payload::kNone;
  // The segment to be sent; without flags: none. `request` follows its header.
  uint8_t flags = 0;
  bool request = false;
  SeqNum seq;
  SeqNum ack;
  bool has_timestamps = false;
  uint32_t ts_value = 0;
  uint32_t ts_echo = 0;
};

// `isn` is where the segment's flow began. `payload` is the segment's.
StatelessAnswer AnswerTo(const tcp::Segment& segment, ByteView payload,
                         const tcp::Options& options, SeqNum isn,
                         const StatelessRules& rules);

// Whether a flow that began at `isn` may have got this acknowledgment.
inline bool Acknowledges(SeqNum ack, SeqNum isn, size_t request) {
  return InWindow(ack, isn + 1, static_cast<uint32_t>(request) + 2);
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_STATELESS_SEGMENT_H_
