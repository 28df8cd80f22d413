#include "dataplane/inspect/pcapng.h"

#include <cstdint>
#include <cstring>

namespace corelane::inspect {
namespace {

// Numbers are in the writer's byte order; the section header says which.
template <typename Number>
void Put(Number value, std::string& out) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

void PutPadded(const void* bytes, size_t n, std::string& out) {
  out.append(static_cast<const char*>(bytes), n);
  out.append((4 - n % 4) % 4, '\0');
}

void PutOption(uint16_t code, const void* bytes, uint16_t n, std::string& out) {
  Put(code, out);
  Put(n, out);
  PutPadded(bytes, n, out);
}

std::string Block(uint32_t type, const std::string& body) {
  std::string block;
  const auto length = static_cast<uint32_t>(body.size() + 12);
  Put(type, block);
  Put(length, block);
  block += body;
  Put(length, block);
  return block;
}

}  // namespace

std::string PcapngHead(std::span<const std::string> interfaces) {
  std::string section;
  Put(uint32_t{0x1a2b3c4d}, section);
  Put(uint16_t{1}, section);
  Put(uint16_t{0}, section);
  Put(~uint64_t{0}, section);  // its length is not known
  constexpr char kApplication[] = "corelane";
  PutOption(4, kApplication, sizeof(kApplication) - 1, section);
  Put(uint32_t{0}, section);  // end of options
  std::string head = Block(0x0a0d0d0a, section);
  for (const std::string& name : interfaces) {
    std::string body;
    Put(uint16_t{1}, body);  // Ethernet
    Put(uint16_t{0}, body);
    Put(uint32_t{65535}, body);
    PutOption(2, name.data(), static_cast<uint16_t>(name.size()), body);
    constexpr uint8_t kNanoseconds = 9;
    PutOption(9, &kNanoseconds, 1, body);
    Put(uint32_t{0}, body);
    head += Block(1, body);
  }
  return head;
}

std::string PcapngPacket(const runtime::CapturedPacket& packet) {
  const runtime::CaptureRecord& r = packet.record;
  std::string body;
  Put(uint32_t{r.port}, body);
  Put(static_cast<uint32_t>(r.unix_ns >> 32), body);
  Put(static_cast<uint32_t>(r.unix_ns), body);
  Put(r.captured, body);
  Put(r.length, body);
  PutPadded(packet.bytes.data(), packet.bytes.size(), body);
  const uint32_t direction = r.sent != 0 ? 2 : 1;
  PutOption(2, &direction, sizeof(direction), body);
  Put(uint32_t{0}, body);
  return Block(6, body);
}

}  // namespace corelane::inspect
