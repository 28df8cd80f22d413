// The eleven states of RFC 9293 section 3.3.2.
#ifndef CORELANE_PROTO_TCP_STATE_H_
#define CORELANE_PROTO_TCP_STATE_H_

#include <cstdint>

namespace corelane::tcp {

// The order matters: states from kEstablished on are synchronized, with both
// sides' sequence numbers known.
enum class State : uint8_t {
  kClosed,
  kListen,
  kSynSent,
  kSynReceived,
  kEstablished,
  kFinWait1,
  kFinWait2,
  kCloseWait,
  kClosing,
  kLastAck,
  kTimeWait,
};

// "ESTABLISHED", "FIN-WAIT-1": spelled as in the RFC.
const char* StateName(State state);

// Whether the peer's stream may still bring data in this state.
constexpr bool MayReceive(State s) {
  return s == State::kEstablished || s == State::kFinWait1 ||
         s == State::kFinWait2;
}

// Whether the application may still queue data in this state.
constexpr bool MaySend(State s) {
  return s == State::kEstablished || s == State::kCloseWait;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_STATE_H_
