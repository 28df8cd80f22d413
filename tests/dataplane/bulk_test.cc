// Several segments of a stream at once: cut by us, or by the card (TSO).
#include "tests/dataplane/network_test.h"

namespace corelane::sim {
namespace {

class BulkTest : public NetworkTest {
 protected:
  static constexpr uint32_t kMss = 1460;
  static constexpr uint32_t kInitialSegments = 10;

  std::unique_ptr<SimApplication> MakeApp() override {
    auto app = std::make_unique<ScriptApp>();
    script_ = app.get();
    return app;
  }

  void Start(const dataplane::DeviceCaps& caps) {
    caps_ = caps;
    AddHost("10.1.0.1");
    Make({"10.1.0.9/24"});
    TcpFields f = Syn(1000);
    f.options = {2, 4, kMss >> 8, kMss & 0xff};
    f.window = 65535;
    Deliver(0, TcpFrame(ends_, f));
    ASSERT_FALSE(sent_.empty());
    f.options.clear();
    f.seq = 101;
    f.ack = sent_.back().parsed.tcp.seq.value() + 1;
    f.flags = tcp::kAck;
    Deliver(0, TcpFrame(ends_, f));
    sent_.clear();
  }
  ScriptApp::Stream& stream() {
    return script_->stream({ends_.source.value(), 1000, kPort});
  }
  uint64_t large() { return node_->pipeline().core().counters.tx_large; }
  // What was sent is the stream's first `n` bytes, in full segments of which
  // the last alone says PSH if it should.
  void ExpectSent(uint32_t n, bool pushed) {
    ASSERT_EQ(node_->port(0).problem(), nullptr) << node_->port(0).problem();
    ASSERT_EQ(sent_.size(), (n + kMss - 1) / kMss);
    uint32_t at = 0;
    const uint32_t first = sent_[0].parsed.tcp.seq.value();
    for (const Sent& s : sent_) {
      const ParsedFrame& p = s.parsed;
      EXPECT_EQ(p.tcp.seq.value() - first, at);
      EXPECT_EQ(p.payload.size(), std::min(kMss, n - at));
      for (size_t i = 0; i < p.payload.size(); ++i) {
        ASSERT_EQ(p.payload[i], ScriptByte(at + static_cast<uint32_t>(i)));
      }
      at += static_cast<uint32_t>(p.payload.size());
      EXPECT_EQ(p.tcp.Has(tcp::kPsh), pushed && at == n) << at;
    }
    EXPECT_EQ(at, n);
  }

  const Ends ends_ = From("10.1.0.1", "10.1.0.9");
  ScriptApp* script_ = nullptr;
  // Outlives the connections.
  std::vector<uint8_t> static_ = [] {
    std::vector<uint8_t> bytes(100'000);
    for (uint32_t i = 0; i < bytes.size(); ++i) bytes[i] = ScriptByte(i);
    return bytes;
  }();
};

constexpr dataplane::DeviceCaps kSums = {.tx_ipv4_checksum = true,
                                         .tx_tcp_checksum = true,
                                         .tx_udp_checksum = true,
                                         .tx_multi_segs = true};

dataplane::DeviceCaps Cutting(bool any_memory, uint16_t buffers = 40) {
  dataplane::DeviceCaps caps = kSums;
  caps.tx_any_memory = any_memory;
  caps.tso_piece = 1500;
  caps.tso_buffers = buffers;
  return caps;
}

TEST_F(BulkTest, WithoutAnyHelp) {
  Start({});
  stream().connection.SendStatic(static_);
  Pass(0s);
  ExpectSent(kInitialSegments * kMss, false);
  EXPECT_EQ(large(), 0u);
}

TEST_F(BulkTest, WithSumsByTheCard) {
  Start(kSums);
  stream().connection.SendStatic(static_);
  Pass(0s);
  ExpectSent(kInitialSegments * kMss, false);
}

TEST_F(BulkTest, FromPackets) {
  Start(Cutting(true));
  ScriptApp::Send(stream(), 5 * kMss);
  Pass(0s);
  ExpectSent(5 * kMss, true);
  EXPECT_EQ(large(), 0u);  // each is there as it leaves
}

TEST_F(BulkTest, CutByTheCard) {
  Start(Cutting(true));
  stream().connection.SendStatic(static_);
  Pass(0s);
  ExpectSent(kInitialSegments * kMss, false);
  EXPECT_EQ(large(), 1u);
}

TEST_F(BulkTest, CutByACardThatSeesPacketsOnly) {
  Start(Cutting(false));
  stream().connection.SendStatic(static_);
  Pass(0s);
  ExpectSent(kInitialSegments * kMss, false);
  EXPECT_EQ(large(), 1u);
}

TEST_F(BulkTest, NoMoreBuffersThanTheCardTakes) {
  Start(Cutting(false, 4));  // of which each but one has room for 2,048 bytes
  stream().connection.SendStatic(static_);
  Pass(0s);
  ExpectSent(kInitialSegments * kMss, false);
  EXPECT_EQ(large(), 3u);
}

TEST_F(BulkTest, TheLastPieceSaysPushAndTheRestFollows) {
  Start(Cutting(true));
  stream().connection.SendStatic({static_.data(), 3 * size_t{kMss}});
  stream().connection.ShutdownSend();
  Pass(0s);
  ExpectSent(3 * kMss, true);
  EXPECT_TRUE(sent_.back().parsed.tcp.Has(tcp::kFin));
  EXPECT_FALSE(sent_.front().parsed.tcp.Has(tcp::kFin));
  EXPECT_EQ(large(), 1u);
}

TEST_F(BulkTest, SeveralRunsAreNotMixed) {
  Start(Cutting(true));
  const uint32_t cut = 2 * kMss + 100;
  stream().connection.SendStatic({static_.data(), cut});
  stream().connection.SendStatic({static_.data() + cut, 4 * kMss - cut});
  Pass(0s);
  ExpectSent(4 * kMss, true);
  EXPECT_EQ(large(), 1u);  // the third segment is of both
}

TEST_F(BulkTest, NotWhereTheSegmentIsTooLongForTheCard) {
  dataplane::DeviceCaps caps = Cutting(true);
  caps.tso_piece = kMss - 1;
  Start(caps);
  stream().connection.SendStatic(static_);
  Pass(0s);
  ExpectSent(kInitialSegments * kMss, false);
  EXPECT_EQ(large(), 0u);
}

}  // namespace
}  // namespace corelane::sim
