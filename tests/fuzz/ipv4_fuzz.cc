// IPv4 headers and reassembly on arbitrary bytes. The input is a list of
// records: a byte of delay (in units of 100 ms), a byte of length, and that
// many bytes of packet. Fragments of all records meet in one small reassembly
// under virtual time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/time.h"
#include "proto/ipv4/header.h"
#include "proto/ipv4/reassembly.h"

namespace corelane::ipv4 {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

constexpr ReassemblyLimits kLimits = {.max_datagrams = 6,
                                      .max_fragments = 12,
                                      .max_fragments_per_datagram = 5,
                                      .max_datagrams_per_source = 3,
                                      .timeout = 2s};

// Owns handles as a packet pool would: each is given out and comes back once.
class Pool {
 public:
  uint64_t Take() {
    out_.push_back(true);
    return out_.size() - 1;
  }
  void Return(uint64_t handle) {
    Check(handle < out_.size() && out_[handle]);
    out_[handle] = false;
  }
  size_t InUse() const {
    return static_cast<size_t>(std::count(out_.begin(), out_.end(), true));
  }

 private:
  std::vector<bool> out_;
};

class Driver {
 public:
  void Packet(ByteView packet, Time now) {
    while (reassembly_.Expire(now)) Drain();
    Drain();
    Header h;
    // Both ways: few random packets have the right checksum.
    const ParseStatus strict = Parse(packet, h, true);
    const ParseStatus status = Parse(packet, h, false);
    Check(strict == status || strict == ParseStatus::kBadChecksum);
    if (status != ParseStatus::kOk) return;
    CheckHeader(h, packet);
    if (h.IsFragment()) Fragment(h, now);
    Drain();
    Check(reassembly_.CheckInvariants());
    Check(pool_.InUse() == reassembly_.held_fragments());
  }

  void End(Time now) {
    while (reassembly_.Expire(now + kLimits.timeout)) Drain();
    Drain();
    Check(pool_.InUse() == 0);
    Check(reassembly_.held_datagrams() == 0);
  }

 private:
  static void CheckHeader(const Header& h, ByteView packet) {
    Check(h.header_length >= 20 && h.header_length <= 60);
    Check(h.total_length >= h.header_length);
    Check(h.total_length <= packet.size());
    Check(h.fragment_offset + h.PayloadLength() <= 65515);
    Check(h.source.IsUnicastHost() && h.source != h.destination);
    uint8_t written[kHeaderLength];
    Header again = h;
    again.header_length = kHeaderLength;
    again.total_length = kHeaderLength;
    again.fragment_offset = 0;
    Write(written, again);
    Check(Parse(written, again, true) == ParseStatus::kOk);
    Check(again.source == h.source && again.destination == h.destination);
    Check(again.id == h.id && again.protocol == h.protocol);
  }

  void Fragment(const Header& h, Time now) {
    const uint64_t handle = pool_.Take();
    const AddResult result = reassembly_.Add(
        {h.source, h.destination, h.id, h.protocol},
        {handle, h.fragment_offset, h.PayloadLength(), h.more_fragments}, now);
    if (result.status == FragmentStatus::kHeld) return;
    if (result.status != FragmentStatus::kComplete) {
      pool_.Return(handle);
      return;
    }
    uint32_t next = 0;
    uint32_t pieces = 0;
    for (uint32_t i = reassembly_.First(result.datagram);
         i != Reassembly::kNone; i = reassembly_.Next(i)) {
      Check(reassembly_.At(i).offset == next);
      next += reassembly_.At(i).length;
      Check(++pieces <= kLimits.max_fragments_per_datagram);
    }
    Check(next == reassembly_.PayloadLength(result.datagram) && next <= 65515);
    reassembly_.Finish(result.datagram);
  }

  void Drain() {
    for (Released r; reassembly_.PopReleased(r);) pool_.Return(r.handle);
  }

  Reassembly reassembly_{kLimits, SipKey{1, 2}};
  Pool pool_;
};

}  // namespace
}  // namespace corelane::ipv4

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace corelane;  // NOLINT(google-build-using-namespace)
  ipv4::Driver driver;
  Time now = kTimeZero;
  ByteView input(data, size);
  while (input.size() >= 2) {
    now += 100ms * int64_t{input[0]};
    const size_t length = std::min<size_t>(input[1], input.size() - 2);
    // A copy of its own, so that reading past the end is seen.
    const std::vector<uint8_t> packet(input.begin() + 2,
                                      input.begin() + 2 + length);
    driver.Packet(packet, now);
    input = input.subspan(2 + length);
  }
  driver.End(now);
  return 0;
}
