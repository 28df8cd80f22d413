// A stack by itself: frames are made in memory before the clock runs, taken
// through one pipeline while it runs, and read from memory afterwards. No
// device, no generator in the figure.
#ifndef CORELANE_BENCH_STACK_HARNESS_H_
#define CORELANE_BENCH_STACK_HARNESS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/pipeline/pipeline.h"
#include "dataplane/steering/steering.h"
#include "proto/tcp/header.h"
#include "tests/sim/heap_packets.h"

namespace corelane::bench {

using dataplane::Packet;

inline constexpr uint32_t kBatch = 32;

// What the peer of one connection knows. Its address and port follow from its
// number.
struct Peer {
  SeqNum seq;            // of the next byte it sends
  SeqNum ack;            // of the next byte it expects
  SeqNum first;          // what that was after the handshake
  uint32_t ts_echo = 0;  // the stack's last TSval
};

struct StackOptions {
  // Checksums are left to "the device": received ones are flagged good, sent
  // ones are not computed.
  bool offload = true;
  bool tso = false;  // and "the device" cuts large segments
  // The peers offer timestamps, SACK and window scaling, as Linux does.
  bool peer_options = true;
  uint32_t connections = 1;
  // Packets besides those that connections hold.
  uint32_t packets = 4096;
  // Packets that each connection may hold.
  uint32_t held_per_connection = 1;
  Duration time_wait = 60s;
  uint32_t send_buffer = 256 * 1024;
  // Above 1: it works as one of so many cores, whose flows the device is said
  // to spread; all that it gets are its own.
  uint16_t cores = 1;
};

class StackHarness {
 public:
  explicit StackHarness(const StackOptions& options);
  ~StackHarness();

  dataplane::Pipeline& pipeline() { return *pipeline_; }
  std::span<Peer> peers() { return peers_; }
  const StackOptions& options() const { return options_; }

  // The stack learns the peers' MAC addresses.
  void Introduce();
  // Completes the handshakes of peers [first, end) with `port`; returns the
  // nanoseconds that the stack spent.
  double Establish(uint16_t port, uint32_t first, uint32_t end);
  // Introduces and establishes all of them.
  void Establish(uint16_t port);

  // Peer number `peer` is to be another host's, with nothing sent yet.
  void Renew(uint32_t peer, uint32_t generation);

  // Frames from a peer, in packets of the stack's pool. The peer's sequence
  // number is moved on.
  Packet* TcpFrame(uint32_t peer, uint16_t port, uint8_t flags,
                   ByteView payload);
  Packet* UdpFrame(uint16_t from, uint16_t to, ByteView payload);

  // The timed part: one burst through the pipeline. Returns nanoseconds.
  double RunBurst(std::vector<Packet*>& frames);
  // The same, not to be counted: scripts/check_instructions goes by the name.
  void Turn(std::vector<Packet*>& frames);
  // As RunBurst, for one core among several.
  double RunShared(std::vector<Packet*>& frames);
  // The floor: the same frames with only addresses and ports swapped.
  double RunSwap(std::vector<Packet*>& frames);

  // Advances the peers by what the stack sent, and frees it; returns how many
  // frames there were.
  uint32_t Collect();

  // Virtual time that passes with each burst.
  void set_step(Duration step) { step_ = step; }
  Time now() const { return now_; }

 private:
  void AnswerArp();
  void Finish(Packet* packet);
  Packet* ArpFrame(uint16_t operation, Ipv4Address sender);
  void NoteSegment(const uint8_t* frame, size_t length);
  Ipv4Address AddressOf(uint32_t peer) const;
  uint16_t PortOf(uint32_t peer) const;
  uint8_t* WriteOptions(uint8_t* p, const Peer& peer, bool syn) const;

  StackOptions options_;
  sim::HeapPackets heap_;
  dataplane::PacketPool pool_;
  std::vector<Peer> peers_;
  std::vector<Packet*> arp_replies_;  // to go in with the next turn
  std::unique_ptr<dataplane::Pipeline> pipeline_;
  std::unique_ptr<dataplane::CoreGroup> group_;
  std::unique_ptr<dataplane::Steering> steering_;
  Time now_ = Time(1s);
  // About what a burst takes: connections that are visited in turn wait a
  // plausible time for each other.
  Duration step_ = 2500ns;
};

}  // namespace corelane::bench

#endif  // CORELANE_BENCH_STACK_HARNESS_H_
