#include "dataplane/load/stateless_segment.h"

#include <cstring>

namespace corelane::dataplane {
namespace {

using Answer = StatelessAnswer;
using Payload = StatelessAnswer::Payload;
using Event = StatelessAnswer::Event;
using Kind = StatelessRules::Kind;

Payload ReadHttp(ByteView payload, int wanted) {
  // "HTTP/1.1 200"
  constexpr char kBegin[] = "HTTP/1.";
  constexpr size_t kBeginLength = sizeof(kBegin) - 1;
  constexpr size_t kStatusAt = kBeginLength + 2;
  if (payload.size() < kStatusAt + 3 ||
      std::memcmp(payload.data(), kBegin, kBeginLength) != 0) {
    return Payload::kOther;
  }
  const bool right = payload[kStatusAt] == '0' + wanted / 100 &&
                     payload[kStatusAt + 1] == '0' + wanted / 10 % 10 &&
                     payload[kStatusAt + 2] == '0' + wanted % 10;
  return right ? Payload::kRight : Payload::kWrong;
}

Payload Read(ByteView payload, const StatelessRules& rules) {
  if (payload.empty()) return Payload::kNone;
  switch (rules.kind) {
    case Kind::kHttp:
      return ReadHttp(payload, rules.status);
    case Kind::kEcho:
      return payload.size() == rules.request.size() &&
                     std::memcmp(payload.data(), rules.request.data(),
                                 payload.size()) == 0
                 ? Payload::kRight
                 : Payload::kWrong;
    case Kind::kHold:
      break;
  }
  return Payload::kOther;
}

// The timestamp from `value` on whose low half is that of `next`, the byte that
// we expect: the server echoes it, and its keep-alive probes are known by their
// being one byte before. It does not go back (RFC 7323 section 5): a window is
// at most 65,535 bytes.
uint32_t Marked(uint32_t value, SeqNum next) {
  return value + static_cast<uint16_t>(next.value() - value);
}

void Send(Answer& answer, uint8_t flags, SeqNum seq, SeqNum ack,
          const StatelessRules& rules) {
  answer.flags = flags;
  answer.seq = seq;
  answer.ack = ack;
  if (answer.has_timestamps && rules.kind == Kind::kHold) {
    answer.ts_value = Marked(answer.ts_value, ack);
  }
}

void OnReset(const tcp::Segment& segment, bool fits, SeqNum first,
             Answer& answer) {
  if (!segment.Has(tcp::kAck)) {
    // For a segment of ours that had an ACK (RFC 9293 section 3.10.7.1).
    answer.event = Event::kReset;
  } else if (!fits) {
    answer.event = Event::kForeign;
  } else {
    const bool for_syn = segment.ack == first && segment.seq == SeqNum(0);
    answer.event = for_syn ? Event::kRefused : Event::kReset;
  }
}

void OnSynAck(const tcp::Segment& segment, SeqNum first,
              const StatelessRules& rules, Answer& answer) {
  answer.event = Event::kOpened;
  answer.request = !rules.request.empty();
  Send(answer, answer.request ? tcp::kAck | tcp::kPsh : tcp::kAck, first,
       segment.seq + 1, rules);
}

// No bytes and no FIN.
void OnEmpty(const tcp::Segment& segment, bool closed,
             const StatelessRules& rules, Answer& answer) {
  if (closed) {
    // Where we were the first to close, the server's FIN follows.
    if (rules.kind != Kind::kEcho) answer.event = Event::kFinished;
    return;
  }
  const SeqNum next = segment.seq + 1;
  const bool probe = rules.kind == Kind::kHold && answer.has_timestamps &&
                     static_cast<uint16_t>(next.value() - answer.ts_value) == 0;
  if (probe) Send(answer, tcp::kAck, segment.ack, next, rules);
}

}  // namespace

StatelessAnswer AnswerTo(const tcp::Segment& segment, ByteView payload,
                         const tcp::Options& options, SeqNum isn,
                         const StatelessRules& rules) {
  Answer answer;
  // Always the timestamp that the SYN had: never too old for the server.
  answer.has_timestamps = options.has_timestamps;
  answer.ts_value = options.ts_echo;
  answer.ts_echo = options.ts_value;
  const SeqNum first = isn + 1;
  const auto request = static_cast<uint32_t>(rules.request.size());
  const bool fits = Acknowledges(segment.ack, isn, request);
  if (segment.Has(tcp::kRst)) {
    OnReset(segment, fits, first, answer);
    return answer;
  }
  const bool syn = segment.Has(tcp::kSyn);
  if (!fits || !segment.Has(tcp::kAck) || (syn && segment.ack != first)) {
    answer.event = Event::kForeign;
    return answer;
  }
  if (syn) {
    OnSynAck(segment, first, rules, answer);
    return answer;
  }
  const SeqNum end = first + request;  // where our FIN is, or will be
  const bool closed = segment.ack == end + 1;
  const bool fin = segment.Has(tcp::kFin);
  const SeqNum next = segment.seq + segment.Length();
  if (payload.empty() && !fin) {
    OnEmpty(segment, closed, rules, answer);
    return answer;
  }
  answer.payload = Read(payload, rules);
  if (closed) {
    if (fin && rules.kind == Kind::kEcho) answer.event = Event::kFinished;
    Send(answer, tcp::kAck, end + 1, next, rules);
    return answer;
  }
  const bool close = fin || (rules.kind == Kind::kEcho && segment.ack == end);
  Send(answer, close ? tcp::kAck | tcp::kFin : tcp::kAck, end, next, rules);
  return answer;
}

}  // namespace corelane::dataplane
