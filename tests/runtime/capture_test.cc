#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dataplane/inspect/decode.h"
#include "dataplane/inspect/pcapng.h"
#include "dataplane/packet/packet_pool.h"
#include "dataplane/runtime/capture_filter.h"
#include "dataplane/runtime/capture_ring.h"
#include "dataplane/runtime/capture_tap.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/base/rng.h"
#include "tests/sim/heap_packets.h"

namespace corelane::runtime {
namespace {

using testing::HasSubstr;

constexpr uint64_t kCapacity = 4096;

// A ring in ordinary memory.
struct Memory {
  alignas(64) std::array<uint8_t, sizeof(CaptureRingHeader) + kCapacity> bytes;
  CaptureRingHeader& header() {
    return *reinterpret_cast<CaptureRingHeader*>(bytes.data());
  }
};

// TCP, 10.77.0.1:4660 to 10.77.0.2:80, SYN with MSS and timestamps.
std::vector<uint8_t> SynFrame() {
  return {0x02, 0,    0,    0,    0,    1,    0x02, 0,    0,    0,
          0,    2,    0x08, 0x00, 0x45, 0x00, 0x00, 0x38, 0x12, 0x34,
          0x40, 0x00, 0x40, 0x06, 0x13, 0xf0, 10,   77,   0,    1,
          10,   77,   0,    2,    0x12, 0x34, 0x00, 0x50, 0x12, 0x34,
          0x56, 0x78, 0,    0,    0,    0,    0x90, 0x02, 0xfa, 0xf0,
          0,    0,    0,    0,    2,    4,    0x05, 0xb4, 1,    1,
          8,    10,   0,    0,    0,    7,    0,    0,    0,    9};
}

TEST(CaptureRingTest, WrapsAndKeepsOrder) {
  Memory memory;
  CaptureWriter writer(&memory.bytes, kCapacity);
  CaptureReader reader(&memory.bytes);
  Rng rng(1, 2);
  uint64_t written = 0;
  uint64_t read = 0;
  std::vector<uint8_t> bytes(200);
  for (int round = 0; round < 2000; ++round) {
    CaptureRecord record;
    record.unix_ns = written;
    record.captured = rng.Below(200);
    std::fill(bytes.begin(), bytes.end(), static_cast<uint8_t>(written));
    if (writer.Write(record, bytes.data())) ++written;
    if (rng.Below(3) == 0) continue;
    const auto packet = reader.Read();
    if (!packet.has_value()) continue;
    EXPECT_EQ(packet->record.unix_ns, read);
    for (const uint8_t b : packet->bytes) {
      ASSERT_EQ(b, static_cast<uint8_t>(read));
    }
    ++read;
  }
  EXPECT_GT(read, 1000u);
  EXPECT_EQ(reader.matched(), 2000u);
  EXPECT_EQ(reader.missed(), 2000 - written);
}

TEST(CaptureRingTest, SurvivesWhateverTheClientWrites) {
  Memory memory;
  CaptureWriter writer(&memory.bytes, kCapacity);
  Rng rng(3, 4);
  const std::vector<uint8_t> bytes(300, 7);
  CaptureRecord record;
  record.captured = 300;
  for (int i = 0; i < 10000; ++i) {
    memory.header().tail.store(rng.Next64());
    memory.header().head.store(rng.Next64());
    memory.header().capacity = rng.Next64();
    writer.Write(record, bytes.data());
  }
}

TEST(CaptureFilterTest, SpeaksTcpdumpsLanguage) {
  const std::vector<uint8_t> syn = SynFrame();
  const auto size = static_cast<uint32_t>(syn.size());
  auto matches = [&](const std::string& text) {
    const auto filter = CaptureFilter::Compile(text);
    EXPECT_TRUE(filter.ok()) << filter.status();
    return filter->Matches(syn.data(), size, size);
  };
  EXPECT_TRUE(matches(""));
  EXPECT_TRUE(matches("tcp port 80"));
  EXPECT_TRUE(matches("src host 10.77.0.1 and tcp[tcpflags] & tcp-syn != 0"));
  EXPECT_FALSE(matches("udp"));
  EXPECT_FALSE(matches("tcp port 81"));
  for (const char* bad : {"tpc", "port", "port 99999", "((", "and"}) {
    EXPECT_FALSE(CaptureFilter::Compile(bad).ok()) << bad;
  }
}

TEST(CaptureTapTest, FiltersAndGivesUpWhenNobodyReads) {
  sim::HeapPackets heap(16);
  dataplane::PacketPool pool(heap.backend());
  Memory memory;
  CaptureTap tap(*CaptureFilter::Compile("tcp"), &memory.bytes, kCapacity);
  CaptureReader reader(&memory.bytes);
  const std::vector<uint8_t> syn = SynFrame();
  dataplane::Packet* packets[2] = {pool.Alloc(), pool.Alloc()};
  for (dataplane::Packet* p : packets) {
    std::memcpy(dataplane::Append(p, static_cast<uint16_t>(syn.size())),
                syn.data(), syn.size());
  }
  dataplane::DataOf(packets[1])[23] = 17;  // UDP
  constexpr uint64_t kSecond = 1'000'000'000;
  EXPECT_TRUE(tap.TakeAt(kSecond, 3, true, packets));
  const auto packet = reader.Read();
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->bytes, syn);
  EXPECT_EQ(packet->record.port, 3);
  EXPECT_EQ(packet->record.sent, 1);
  EXPECT_FALSE(reader.Read().has_value());
  EXPECT_TRUE(tap.TakeAt(5 * kSecond, 3, false, packets));
  reader.Beat();
  EXPECT_TRUE(tap.TakeAt(9 * kSecond, 3, false, packets));
  EXPECT_TRUE(tap.TakeAt(13 * kSecond, 3, false, packets));
  EXPECT_FALSE(tap.TakeAt(15 * kSecond, 3, false, packets));
  for (dataplane::Packet* p : packets) pool.Free(p);
}

TEST(PcapngTest, BlocksSayTheirLengthTwice) {
  const std::string names[] = {"cl0", "longer"};
  CapturedPacket packet;
  packet.bytes = {1, 2, 3, 4, 5};
  packet.record.captured = 5;
  const std::string file =
      inspect::PcapngHead(names) + inspect::PcapngPacket(packet);
  std::vector<uint32_t> types;
  size_t at = 0;
  while (at < file.size()) {
    uint32_t type = 0;
    uint32_t length = 0;
    uint32_t again = 0;
    std::memcpy(&type, &file[at], 4);
    std::memcpy(&length, &file[at + 4], 4);
    ASSERT_EQ(length % 4, 0u);
    ASSERT_LE(at + length, file.size());
    std::memcpy(&again, &file[at + length - 4], 4);
    EXPECT_EQ(again, length);
    types.push_back(type);
    at += length;
  }
  EXPECT_EQ(types, (std::vector<uint32_t>{0x0a0d0d0a, 1, 1, 6}));
}

TEST(DecodeTest, NamesEveryField) {
  const std::string text = inspect::DecodeFrame(SynFrame());
  for (const char* field :
       {"destination            02:00:00:00:00:01", "0x0800 (IPv4)",
        "header length          5 words (20 bytes)",
        "total length           56", "flags                  DF",
        "protocol               6 (TCP)", "(correct)",
        "source address         10.77.0.1", "destination port       80",
        "sequence number        305419896",
        "data offset            9 words (36 bytes)", "0x02 SYN",
        "option MSS             1460", "value 7, echo 9"}) {
    EXPECT_THAT(text, HasSubstr(field));
  }
}

TEST(DecodeTest, TakesAnyBytes) {
  const std::vector<uint8_t> syn = SynFrame();
  for (size_t n = 0; n < syn.size(); ++n) {
    inspect::DecodeFrame(ByteView(syn).first(n));
  }
  Rng rng(5, 6);
  for (int i = 0; i < 20000; ++i) {
    std::vector<uint8_t> bytes = syn;
    for (uint32_t k = rng.Below(6); k > 0; --k) {
      bytes[rng.Below(static_cast<uint32_t>(bytes.size()))] =
          static_cast<uint8_t>(rng.Below(256));
    }
    bytes.resize(rng.Below(static_cast<uint32_t>(bytes.size()) + 1));
    EXPECT_LT(inspect::DecodeFrame(bytes).size(), 8192u);
  }
}

}  // namespace
}  // namespace corelane::runtime
