#include "bench/stack_harness.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "proto/base/checksum.h"
#include "proto/ethernet/header.h"
#include "proto/ipv4/header.h"
#include "proto/udp/header.h"

namespace corelane::bench {
namespace {

constexpr MacAddress kStackMac{{0x02, 0, 0, 0, 0, 1}};
constexpr MacAddress kPeerMac{{0x02, 0, 0, 0, 0, 2}};
constexpr Ipv4Address kStackAddress(198, 18, 0, 1);
constexpr uint32_t kFirstPeer = Ipv4Address(198, 18, 1, 0).value();
constexpr uint32_t kPortsPerAddress = 50000;

uint64_t NowNs() {
  return static_cast<uint64_t>(
      std::chrono::steady_clock::now().time_since_epoch().count());
}

dataplane::PipelineConfig MakeConfig(const StackOptions& options) {
  dataplane::PipelineConfig config;
  dataplane::InterfaceConfig interface;
  interface.name = "bench";
  interface.mac = kStackMac;
  interface.addresses = {{kStackAddress, 15}};
  if (options.offload) interface.caps = {true, true, true, true};
  config.interfaces = {interface};
  config.secrets = dataplane::Secrets::FromSeed(1);
  config.limits.max_connections = options.connections + 16;
  config.limits.max_requests = 1024;
  config.arp.announcer.probe = false;
  return config;
}

}  // namespace

StackHarness::StackHarness(const StackOptions& options)
    : options_(options),
      // Each connection's last answer stays in a packet until it is
      // acknowledged by the next request.
      heap_(options.packets + options.connections / 4 * 5),
      pool_(heap_.backend()) {
  auto pipeline =
      dataplane::Pipeline::Create(MakeConfig(options), &pool_, now_);
  if (!pipeline.ok()) {
    std::fprintf(stderr, "%s\n", pipeline.status().ToString().c_str());
    std::abort();
  }
  pipeline_ = std::move(*pipeline);
  peers_.resize(options.connections);
  for (uint32_t i = 0; i < options.connections; ++i) {
    peers_[i].address = Ipv4Address(kFirstPeer + i / kPortsPerAddress);
    peers_[i].port = static_cast<uint16_t>(10000 + i % kPortsPerAddress);
    peers_[i].seq = SeqNum(i * 7919);
  }
}

StackHarness::~StackHarness() { pipeline_.reset(); }

// Puts an Ethernet header in front, and says what the device made of the sums.
void StackHarness::Finish(Packet* packet) {
  uint8_t* eth = dataplane::Prepend(packet, ethernet::kHeaderLength);
  ethernet::Write(eth, {.destination = kStackMac,
                        .source = kPeerMac,
                        .ether_type = ethernet::kIpv4});
  if (options_.offload) {
    packet->ol_flags =
        RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
  }
}

Packet* StackHarness::TcpFrame(const Peer& peer, uint16_t port, uint8_t flags,
                               ByteView payload) {
  Packet* packet = pool_.Alloc();
  if (packet == nullptr) std::abort();
  const auto l4_length =
      static_cast<uint16_t>(tcp::kHeaderLength + payload.size());
  uint8_t* p = dataplane::Append(packet, l4_length);
  std::memcpy(p + tcp::kHeaderLength, payload.data(), payload.size());
  tcp::HeaderFields fields;
  fields.source_port = peer.port;
  fields.destination_port = port;
  fields.seq = peer.seq;
  fields.ack = peer.ack;
  fields.flags = flags;
  fields.window = 65535;
  tcp::Write(p, fields);
  const PartialSum sum =
      PseudoHeaderSum(peer.address, kStackAddress, ipv4::kTcp, l4_length);
  StoreBe16(p + 16, ChecksumFinish(ChecksumAdd({p, l4_length}, sum)));
  ipv4::Header ip;
  ip.source = peer.address;
  ip.destination = kStackAddress;
  ip.protocol = ipv4::kTcp;
  ip.dont_fragment = true;
  ip.total_length = static_cast<uint16_t>(l4_length + ipv4::kHeaderLength);
  ipv4::Write(dataplane::Prepend(packet, ipv4::kHeaderLength), ip);
  Finish(packet);
  return packet;
}

Packet* StackHarness::UdpFrame(uint16_t from, uint16_t to, ByteView payload) {
  Packet* packet = pool_.Alloc();
  if (packet == nullptr) std::abort();
  const auto l4_length =
      static_cast<uint16_t>(udp::kHeaderLength + payload.size());
  uint8_t* p = dataplane::Append(packet, l4_length);
  std::memcpy(p + udp::kHeaderLength, payload.data(), payload.size());
  udp::Header header;
  header.source_port = from;
  header.destination_port = to;
  header.length = l4_length;
  udp::Write(p, header);
  const Ipv4Address source(kFirstPeer);
  udp::WriteChecksum({p, l4_length}, source, kStackAddress);
  ipv4::Header ip;
  ip.source = source;
  ip.destination = kStackAddress;
  ip.protocol = ipv4::kUdp;
  ip.total_length = static_cast<uint16_t>(l4_length + ipv4::kHeaderLength);
  ipv4::Write(dataplane::Prepend(packet, ipv4::kHeaderLength), ip);
  Finish(packet);
  return packet;
}

uint64_t StackHarness::RunBurst(std::vector<Packet*>& frames) {
  now_ += step_;
  const uint64_t start = NowNs();
  pipeline_->BeginTurn(now_);
  pipeline_->Receive(0, frames);
  pipeline_->EndTurn();
  const uint64_t end = NowNs();
  frames.clear();
  return end - start;
}

uint64_t StackHarness::RunSwap(std::vector<Packet*>& frames) {
  const uint64_t start = NowNs();
  dataplane::TxQueue& tx = pipeline_->tx(0);
  for (Packet* packet : frames) __builtin_prefetch(dataplane::DataOf(packet));
  for (Packet* packet : frames) {
    uint8_t* p = dataplane::DataOf(packet);
    uint8_t mac[6];
    std::memcpy(mac, p, 6);
    std::memcpy(p, p + 6, 6);
    std::memcpy(p + 6, mac, 6);
    uint32_t address;
    std::memcpy(&address, p + 26, 4);
    std::memcpy(p + 26, p + 30, 4);
    std::memcpy(p + 30, &address, 4);
    uint16_t port;
    std::memcpy(&port, p + 34, 2);
    std::memcpy(p + 34, p + 36, 2);
    std::memcpy(p + 36, &port, 2);
    packet->ol_flags = 0;
    tx.Push(packet);
  }
  const uint64_t end = NowNs();
  frames.clear();
  return end - start;
}

void StackHarness::NoteSegment(const uint8_t* frame, size_t length) {
  if (length < 54 || LoadBe16(frame + 12) != ethernet::kIpv4) return;
  const uint8_t* ip = frame + 14;
  if (ip[9] != ipv4::kTcp) return;
  const uint16_t total = LoadBe16(ip + 2);
  tcp::Segment segment;
  if (tcp::Parse({ip + 20, static_cast<size_t>(total - 20)}, segment) !=
      tcp::ParseStatus::kOk) {
    return;
  }
  const uint32_t address = LoadBe32(ip + 16);
  const uint32_t index = (address - kFirstPeer) * kPortsPerAddress +
                         (segment.destination_port - 10000u);
  if (index >= peers_.size()) return;
  Peer& peer = peers_[index];
  const SeqNum end = segment.seq + segment.Length();
  if (segment.Length() > 0) peer.ack = end;
}

uint32_t StackHarness::Collect() {
  dataplane::TxQueue& tx = pipeline_->tx(0);
  const auto frames = tx.frames();
  const auto n = static_cast<uint32_t>(frames.size());
  for (Packet* packet : frames) {
    const uint8_t* frame = dataplane::DataOf(packet);
    NoteSegment(frame, packet->pkt_len);
    pool_.Free(packet);
  }
  tx.Taken(n);
  return n;
}

void StackHarness::Establish(uint16_t port) {
  // The stack learns the peers' MAC address as from a request for its own.
  std::vector<Packet*> burst;
  const Duration step = step_;
  step_ = 1us;
  auto learn = [&](Ipv4Address address) {
    Packet* packet = pool_.Alloc();
    uint8_t* p = dataplane::Append(packet, arp::kPacketLength);
    arp::Write(p, {.operation = arp::kRequest,
                   .sender_mac = kPeerMac,
                   .sender = address,
                   .target_mac = MacAddress{},
                   .target = kStackAddress});
    ethernet::Write(dataplane::Prepend(packet, ethernet::kHeaderLength),
                    {.destination = kStackMac,
                     .source = kPeerMac,
                     .ether_type = ethernet::kArp});
    burst.push_back(packet);
    RunBurst(burst);
    Collect();
  };
  for (uint32_t i = 0; i < peers_.size(); i += kPortsPerAddress) {
    learn(peers_[i].address);
  }
  for (uint32_t i = 0; i < peers_.size(); i += kBatch) {
    const uint32_t end =
        std::min<uint32_t>(i + kBatch, static_cast<uint32_t>(peers_.size()));
    for (uint32_t k = i; k < end; ++k) {
      burst.push_back(TcpFrame(peers_[k], port, tcp::kSyn, {}));
    }
    RunBurst(burst);
    Collect();
    for (uint32_t k = i; k < end; ++k) {
      peers_[k].seq += 1;
      burst.push_back(TcpFrame(peers_[k], port, tcp::kAck, {}));
    }
    RunBurst(burst);
    Collect();
  }
  step_ = step;
}

}  // namespace corelane::bench
