#include "tests/differential/patch.h"

#include "proto/base/bytes.h"

namespace corelane::sim {
namespace {

void UpdateSum(Frame& frame, size_t at, uint32_t before, uint32_t after) {
  if (frame.size() < at + 2) return;
  const uint16_t sum = LoadBe16(&frame[at]);
  uint32_t total = (~sum & 0xffffu) + (~before & 0xffffu) + after;
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  StoreBe16(&frame[at], static_cast<uint16_t>(~total));
}

// Where the checksum of what is inside stands; 0: nowhere.
size_t InnerSum(const Frame& frame, size_t ip) {
  const size_t payload = ip + 4u * (frame[ip] & 15);
  if (frame[ip + 9] == 6) return payload + 16;
  if (frame[ip + 9] != 17 || frame.size() < payload + 8) return 0;
  return LoadBe16(&frame[payload + 6]) == 0 ? 0 : payload + 6;
}

}  // namespace

void PatchAddress(Frame& frame, size_t at, uint16_t value) {
  const size_t ip = Ipv4Offset(frame);
  const uint16_t before = LoadBe16(&frame[at]);
  StoreBe16(&frame[at], value);
  UpdateSum(frame, ip + 10, before, value);
  const size_t inner = InnerSum(frame, ip);
  if (inner != 0) UpdateSum(frame, inner, before, value);
}

void PatchTcp(Frame& frame, size_t at, uint32_t value) {
  const size_t ip = Ipv4Offset(frame);
  const size_t tcp = ip + 4u * (frame[ip] & 15);
  if (frame.size() < at + 4 || frame.size() < tcp + 20) return;
  const size_t odd = (at - tcp) & 1;
  // The words of the checksum that the field reaches into.
  const size_t first = at - odd;
  const size_t words = odd != 0 ? 3 : 2;
  if (frame.size() < first + 2 * words) return;
  Frame old = frame;
  StoreBe32(&frame[at], value);
  for (size_t i = first; i < first + 2 * words; i += 2) {
    UpdateSum(frame, tcp + 16, LoadBe16(&old[i]), LoadBe16(&frame[i]));
  }
}

}  // namespace corelane::sim
