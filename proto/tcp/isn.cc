#include "proto/tcp/isn.h"

#include <cstring>

namespace corelane::tcp {

namespace {

uint32_t HashOf(const FlowKey& key, const SipKey& secret) {
  const uint64_t addresses = key.Addresses();
  const uint32_t ports = key.Ports();
  uint8_t message[12];
  std::memcpy(message, &addresses, 8);
  std::memcpy(message + 8, &ports, 4);
  return static_cast<uint32_t>(SipHash24(secret, message));
}

}  // namespace

SeqNum InitialSequence(const FlowKey& key, const SipKey& secret, Time now) {
  const auto m = static_cast<uint32_t>(now.time_since_epoch() / 4us);
  return SeqNum(m + HashOf(key, secret));
}

uint32_t TimestampOffset(const FlowKey& key, const SipKey& secret) {
  return HashOf(key, secret);
}

}  // namespace corelane::tcp
