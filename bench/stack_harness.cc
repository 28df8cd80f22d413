#include "bench/stack_harness.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/cycles.h"
#include "proto/base/checksum.h"
#include "proto/ethernet/header.h"
#include "proto/ipv4/header.h"
#include "proto/tcp/options.h"
#include "proto/udp/header.h"

namespace corelane::bench {
namespace {

constexpr MacAddress kStackMac{{0x02, 0, 0, 0, 0, 1}};
constexpr MacAddress kPeerMac{{0x02, 0, 0, 0, 0, 2}};
constexpr Ipv4Address kStackAddress(198, 18, 0, 1);
constexpr uint32_t kFirstPeer = Ipv4Address(198, 18, 1, 0).value();
constexpr uint32_t kFirstPort = 10000;
constexpr uint32_t kPortsPerAddress = 50000;

dataplane::PipelineConfig MakeConfig(const StackOptions& options) {
  dataplane::PipelineConfig config;
  dataplane::InterfaceConfig interface;
  interface.name = "bench";
  interface.mac = kStackMac;
  interface.addresses = {{kStackAddress, 15}};
  interface.caps = {.tx_ipv4_checksum = options.offload,
                    .tx_tcp_checksum = options.offload,
                    .tx_udp_checksum = options.offload,
                    .tx_multi_segs = true,
                    .tx_any_memory = true,
                    .tso_piece = options.tso ? uint16_t{9000} : uint16_t{0},
                    .tso_buffers = 16};
  config.interfaces = {interface};
  config.secrets = dataplane::Secrets::FromSeed(1);
  config.limits.max_connections = options.connections + 16;
  config.limits.max_requests = 1024;
  config.tcp.time_wait = options.time_wait;
  config.tcp.send_buffer = options.send_buffer;
  config.arp.announcer.probe = false;
  config.arp.limits.capacity = 4096;
  return config;
}

}  // namespace

StackHarness::StackHarness(const StackOptions& options)
    : options_(options),
      // A quarter more: of the last eighth no payload is taken.
      heap_((options.packets +
             options.connections * options.held_per_connection) /
                4 * 5,
            sim::HeapPackets::Pages::kHuge),
      pool_(heap_.backend()),
      peers_(options.connections) {
  auto pipeline =
      dataplane::Pipeline::Create(MakeConfig(options), &pool_, now_);
  if (!pipeline.ok()) {
    std::fprintf(stderr, "%s\n", pipeline.status().ToString().c_str());
    std::abort();
  }
  pipeline_ = std::move(*pipeline);
  if (options.cores > 1) {
    const std::vector<uint8_t> key(40, 0x5a);
    group_ = std::make_unique<dataplane::CoreGroup>(
        options.cores, dataplane::FlowMap({key.data(), key.size()}, {0}));
    steering_ = std::make_unique<dataplane::Steering>(
        group_.get(), uint16_t{0}, pipeline_.get(),
        std::vector<dataplane::PortShare>{{0, true}});
  }
  for (uint32_t i = 0; i < options.connections; ++i) Renew(i, 0);
  CycleClock::Get();  // calibrated now, not inside what is counted
}

StackHarness::~StackHarness() {
  for (Packet* packet : arp_replies_) pool_.Free(packet);
  steering_.reset();
  pipeline_.reset();
}

Ipv4Address StackHarness::AddressOf(uint32_t peer) const {
  return Ipv4Address(kFirstPeer + peer / kPortsPerAddress);
}

uint16_t StackHarness::PortOf(uint32_t peer) const {
  return static_cast<uint16_t>(kFirstPort + peer % kPortsPerAddress);
}

void StackHarness::Renew(uint32_t peer, uint32_t generation) {
  peers_[peer] = Peer{};
  peers_[peer].seq = SeqNum(peer * 7919 + generation * 0x20000000);
}

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

// What a Linux client offers, or what it sends afterwards.
uint8_t* StackHarness::WriteOptions(uint8_t* p, const Peer& peer,
                                    bool syn) const {
  if (!options_.peer_options && !syn) return p;
  const auto now_ms = static_cast<uint32_t>(now_.time_since_epoch() / 1ms);
  if (syn) {
    tcp::SynOptions options{.mss = 1460};
    if (options_.peer_options) {
      options.window_scale = 7;
      options.sack_permitted = true;
      options.has_timestamps = true;
      options.ts_value = now_ms;
    }
    return p + tcp::WriteSynOptions(p, options);
  }
  StoreBe32(p, 0x0101080a);
  StoreBe32(p + 4, now_ms);
  StoreBe32(p + 8, peer.ts_echo);
  return p + 12;
}

Packet* StackHarness::TcpFrame(uint32_t index, uint16_t port, uint8_t flags,
                               ByteView payload) {
  Peer& peer = peers_[index];
  Packet* packet = pool_.Alloc();
  if (packet == nullptr) std::abort();
  uint8_t* p = dataplane::DataOf(packet);
  const bool syn = (flags & tcp::kSyn) != 0;
  const auto header_length = static_cast<uint16_t>(
      WriteOptions(p + tcp::kHeaderLength, peer, syn) - p);
  const auto l4_length = static_cast<uint16_t>(header_length + payload.size());
  dataplane::Append(packet, l4_length);
  if (!payload.empty()) {
    std::memcpy(p + header_length, payload.data(), payload.size());
  }
  tcp::HeaderFields fields;
  fields.source_port = PortOf(index);
  fields.destination_port = port;
  fields.seq = peer.seq;
  fields.ack = peer.ack;
  fields.flags = flags;
  fields.window = 65535;
  fields.header_length = header_length;
  tcp::Write(p, fields);
  const PartialSum sum =
      PseudoHeaderSum(AddressOf(index), kStackAddress, ipv4::kTcp, l4_length);
  StoreBe16(p + 16, ChecksumFinish(ChecksumAdd({p, l4_length}, sum)));
  ipv4::Header ip;
  ip.source = AddressOf(index);
  ip.destination = kStackAddress;
  ip.protocol = ipv4::kTcp;
  ip.dont_fragment = true;
  ip.total_length = static_cast<uint16_t>(l4_length + ipv4::kHeaderLength);
  ipv4::Write(dataplane::Prepend(packet, ipv4::kHeaderLength), ip);
  Finish(packet);
  peer.seq += static_cast<uint32_t>(payload.size());
  if ((flags & (tcp::kSyn | tcp::kFin)) != 0) peer.seq += 1;
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

void StackHarness::AnswerArp() {
  if (arp_replies_.empty()) return;
  pipeline_->BeginTurn(now_);
  pipeline_->Receive(0, arp_replies_);
  arp_replies_.clear();
}

void StackHarness::Turn(std::vector<Packet*>& frames) {
  now_ += step_;
  AnswerArp();
  pipeline_->BeginTurn(now_);
  if (!frames.empty()) pipeline_->Receive(0, frames);
  pipeline_->EndTurn();
  frames.clear();
}

double StackHarness::RunBurst(std::vector<Packet*>& frames) {
  now_ += step_;
  AnswerArp();
  const uint64_t from = ReadCycles();
  pipeline_->BeginTurn(now_);
  if (!frames.empty()) pipeline_->Receive(0, frames);
  pipeline_->EndTurn();
  const uint64_t to = ReadCycles();
  frames.clear();
  return CycleClock::Get().Nanoseconds(from, to);
}

double StackHarness::RunShared(std::vector<Packet*>& frames) {
  now_ += step_;
  const uint64_t from = ReadCycles();
  pipeline_->BeginTurn(now_);
  const uint16_t ours = steering_->Sort(0, frames);
  if (ours > 0) pipeline_->Receive(0, {frames.data(), ours});
  steering_->Deliver();
  pipeline_->EndTurn();
  steering_->Flush();
  const uint64_t to = ReadCycles();
  frames.clear();
  return CycleClock::Get().Nanoseconds(from, to);
}

double StackHarness::RunSwap(std::vector<Packet*>& frames) {
  const uint64_t from = ReadCycles();
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
  const uint64_t to = ReadCycles();
  frames.clear();
  return CycleClock::Get().Nanoseconds(from, to);
}

void StackHarness::NoteSegment(const uint8_t* frame, size_t length) {
  arp::Packet arp;
  if (LoadBe16(frame + 12) == ethernet::kArp &&
      arp::Parse({frame + 14, length - 14}, arp) == arp::ParseStatus::kOk &&
      arp.operation == arp::kRequest) {
    arp_replies_.push_back(ArpFrame(arp::kReply, arp.target));
  }
  if (length < 54 || LoadBe16(frame + 12) != ethernet::kIpv4) return;
  const uint8_t* ip = frame + 14;
  if (ip[9] != ipv4::kTcp) return;
  // The payload may lie in another segment of the chain: only the header is
  // looked at.
  const uint8_t* p = ip + 20;
  const uint32_t index = (LoadBe32(ip + 16) - kFirstPeer) * kPortsPerAddress +
                         (LoadBe16(p + 2) - kFirstPort);
  if (index >= peers_.size()) return;
  Peer& peer = peers_[index];
  const auto header_length = static_cast<uint32_t>((p[12] >> 4) * 4);
  const uint8_t flags = p[13];
  uint32_t taken = LoadBe16(ip + 2) - 20u - header_length;
  if ((flags & (tcp::kSyn | tcp::kFin)) != 0) ++taken;
  if (taken > 0) peer.ack = SeqNum(LoadBe32(p + 4)) + taken;
  if ((flags & tcp::kSyn) != 0) {
    const tcp::Options options =
        tcp::ParseOptions({p + 20, header_length - 20});
    peer.ts_echo = options.ts_value;
    peer.first = peer.ack;
  } else if (header_length >= 32) {
    peer.ts_echo = LoadBe32(p + 24);
  }
}

uint32_t StackHarness::Collect() {
  dataplane::TxQueue& tx = pipeline_->tx(0);
  const auto frames = tx.frames();
  const auto n = static_cast<uint32_t>(frames.size());
  for (Packet* packet : frames) {
    NoteSegment(dataplane::DataOf(packet), packet->pkt_len);
    pool_.Free(packet);
  }
  tx.Taken(n);
  return n;
}

Packet* StackHarness::ArpFrame(uint16_t operation, Ipv4Address sender) {
  Packet* packet = pool_.Alloc();
  uint8_t* p = dataplane::Append(packet, arp::kPacketLength);
  arp::Write(p, {.operation = operation,
                 .sender_mac = kPeerMac,
                 .sender = sender,
                 .target_mac = kStackMac,
                 .target = kStackAddress});
  ethernet::Write(dataplane::Prepend(packet, ethernet::kHeaderLength),
                  {.destination = kStackMac,
                   .source = kPeerMac,
                   .ether_type = ethernet::kArp});
  return packet;
}

// As from requests for the stack's own address.
void StackHarness::Introduce() {
  std::vector<Packet*> burst;
  for (uint32_t i = 0; i < peers_.size(); i += kPortsPerAddress) {
    burst.push_back(ArpFrame(arp::kRequest, AddressOf(i)));
    Turn(burst);
    Collect();
  }
}

double StackHarness::Establish(uint16_t port, uint32_t first, uint32_t end) {
  double ns = 0;
  std::vector<Packet*> burst;
  for (uint32_t i = first; i < end; i += kBatch) {
    const uint32_t last = std::min(i + kBatch, end);
    for (uint32_t k = i; k < last; ++k) {
      burst.push_back(TcpFrame(k, port, tcp::kSyn, {}));
    }
    ns += RunBurst(burst);
    Collect();
    for (uint32_t k = i; k < last; ++k) {
      burst.push_back(TcpFrame(k, port, tcp::kAck, {}));
    }
    ns += RunBurst(burst);
    Collect();
  }
  return ns;
}

void StackHarness::Establish(uint16_t port) {
  Introduce();
  Establish(port, 0, static_cast<uint32_t>(peers_.size()));
}

}  // namespace corelane::bench
