// One core's TCP: tables, queues and timers around the protocol in proto/tcp.
//
// A turn of the loop goes through it like this:
//   Enqueue    for each received segment; look-ups are done in stages per burst
//   Ingest     all enqueued segments; nothing is sent from inside
//   RunTimers  what has expired
//   Notify     applications hear of everything once
//   Emit       each touched ("dirty") connection is asked what is due
#ifndef CORELANE_DATAPLANE_PIPELINE_TCP_LAYER_H_
#define CORELANE_DATAPLANE_PIPELINE_TCP_LAYER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/api/application.h"
#include "dataplane/api/connection.h"
#include "dataplane/flow/buffers.h"
#include "dataplane/flow/index_list.h"
#include "dataplane/flow/listeners.h"
#include "dataplane/flow/profiles.h"
#include "dataplane/flow/slab.h"
#include "dataplane/flow/socket_table.h"
#include "dataplane/flow/timer_wheel.h"
#include "dataplane/flow/work_list.h"
#include "dataplane/pipeline/core.h"
#include "dataplane/pipeline/interface.h"
#include "dataplane/pipeline/moves.h"
#include "proto/ipv4/header.h"
#include "proto/ipv4/route_table.h"
#include "proto/tcp/bbr.h"
#include "proto/tcp/context.h"
#include "proto/tcp/handshake.h"
#include "proto/tcp/header.h"
#include "proto/tcp/ingest.h"
#include "proto/tcp/segment_spec.h"
#include "proto/tcp/time_wait.h"

namespace corelane::dataplane {

class Ipv4Layer;
struct Path;

struct TcpLimits {
  uint32_t max_connections = 65536;
  uint32_t max_requests = 16384;   // connections in SYN-RECEIVED
  uint32_t max_time_wait = 65536;  // the oldest makes room for a new one
  uint32_t static_chunks = 65536;  // runs of static bytes queued for sending
  uint32_t backlog = 4096;         // requests per listener
};

struct ListenOptions {
  uint16_t device = kAnyPort;  // or the one port that it is tied to
  uint16_t profile = Profiles::kDefault;
  // Connections that the application has been told of and not taken
  // (TakeAccepted). While there are so many, the ACK that would complete
  // another is dropped, as though the network had lost it, and so are SYNs.
  // 0: no limit, and nothing is to be taken.
  uint32_t accept_limit = 0;
  uint32_t app_data = 0;  // that its connections start with
};

class TcpLayer {
 public:
  // For the routes.
  static ipv4::Flow FlowOf(const tcp::FlowKey& key) {
    return {key.remote(), key.local(), key.local_port, key.remote_port,
            ipv4::kTcp};
  }

  static constexpr uint32_t kMaxBurst = 64;

  TcpLayer(Core* core, Ipv4Layer* ip, const tcp::Config& config,
           const TcpLimits& limits);
  ~TcpLayer();
  TcpLayer(const TcpLayer&) = delete;
  TcpLayer& operator=(const TcpLayer&) = delete;

  // ---- Control path
  // 0.0.0.0 as address: every address of ours.
  absl::StatusOr<uint32_t> Listen(Ipv4Address address, uint16_t port,
                                  uint16_t application,
                                  const ListenOptions& options = {});
  // Connections that are established stay; those that are pending are
  // forgotten: nobody knows what they were to be like.
  void CloseListener(uint32_t listener);
  // The application took one of a listener's connections, or let it go.
  void TakeAccepted(uint32_t listener) { --listeners_[listener].waiting; }
  void SetAcceptLimit(uint32_t listener, uint32_t limit) {
    listeners_[listener].accept_limit = limit;
  }
  // Starts an active open. A source address of 0.0.0.0 is chosen by route, a
  // source port of 0 at random (RFC 6056). kOpened or kGone tell how it ended.
  absl::StatusOr<Connection> Connect(Ipv4Address remote, uint16_t port,
                                     uint16_t application,
                                     Ipv4Address source = Ipv4Address(),
                                     uint16_t source_port = 0,
                                     uint16_t profile = Profiles::kDefault);

  // ---- Options. A profile is a set of them; whoever acquired one may give it
  // to any number of listeners and connections, and releases it afterwards, as
  // does whoever held it.
  // Profiles::kNone if there are too many different ones.
  uint16_t AcquireProfile(const tcp::Config& options) {
    return profiles_.Acquire(options);
  }
  void HoldProfile(uint16_t profile) { profiles_.AddReference(profile); }
  void ReleaseProfile(uint16_t profile) { profiles_.Release(profile); }
  void SetListenerProfile(uint32_t listener, uint16_t profile);
  void SetProfile(uint32_t index, uint16_t profile);

  // ---- One turn of the loop, in this order
  // Takes a segment for one of our unicast addresses. Its data starts at the
  // TCP header and ends with the IP payload; its checksum is good.
  // `congestion`: its IP header said so (CE, RFC 3168).
  // `passed_on`: by another core, which found that the connection moved here.
  void Enqueue(Packet* packet, const tcp::FlowKey& key, uint16_t device,
               bool congestion, bool passed_on = false);
  void Ingest();
  void RunTimers();
  void Notify(std::span<Application* const> applications);
  void Emit();

  // When the next turn is due at the latest.
  Time NextDeadline() const;

  // An ICMP error about a segment of ours (RFC 5927 checks are made here).
  // `next_hop_mtu` is 0 unless fragmentation was needed.
  // Returns the core where the connection is now; Forward::kNoCore if it is
  // here, or nowhere.
  uint16_t OnIcmpError(const tcp::FlowKey& key, SeqNum seq, bool hard,
                       bool fragmentation_needed, uint16_t next_hop_mtu);

  // ---- Moving between cores (moves.h)
  // What Connection::MoveTo asks for.
  bool WishMove(uint32_t index, uint16_t core);
  // Lets so many connections go to `core` that have something to do in this
  // turn or the next ones; 0: none any more.
  void ShiftLoad(uint16_t core, uint32_t connections) {
    moves_.quota_to = core;
    moves_.quota = connections;
  }
  // After Emit: what is wished for, where it is possible.
  void RunMoves(std::span<Application* const> applications);
  // What another core sent, and what became of it: the application is to be
  // told if it goes on here, or is lost.
  struct Taken {
    enum class Fate : uint8_t { kHere, kLost, kElsewhere };
    Fate fate = Fate::kElsewhere;
    Connection connection;
  };
  Taken TakeMoved(std::unique_ptr<MovedConnection> moved);
  const Moves& moves() const { return moves_; }

  // Breaks a connection from outside of its application, which is told kGone.
  void Break(uint32_t index);

  // Ends all listeners and connections in order: for an orderly stop.
  void CloseAll();

  // ---- Connection's functions
  void SetAppData(uint32_t index, uint32_t value);
  uint32_t Readable(uint32_t index) const;
  bool AtEnd(uint32_t index) const;
  ByteView Front(uint32_t index) const;
  void Consume(uint32_t index, uint32_t n);
  Packet* TakeFront(uint32_t index);
  uint32_t SendSpace(uint32_t index) const;
  uint32_t ShareForSending(const tcp::ControlBlock& cb, uint32_t wanted) const;
  uint32_t ExactShare(const tcp::ControlBlock& cb, uint32_t wanted) const;
  bool IsWritable(uint32_t index) const;
  uint32_t Send(uint32_t index, ByteView bytes);
  uint32_t SendStatic(uint32_t index, ByteView bytes);
  bool SendPacket(uint32_t index, Packet* packet);
  bool ReturnFront(uint32_t index);
  void ShutdownSend(uint32_t index);
  void Close(uint32_t index);
  void Abort(uint32_t index);
  void SetTimer(uint32_t index, Duration after);
  void ClearTimer(uint32_t index);
  void SetNoDelay(uint32_t index, bool on);
  uint32_t Peek(uint32_t index, uint32_t offset, MutableByteView out) const;
  void AskWritable(uint32_t index);
  void SetQuickAck(uint32_t index, bool on);

  // ---- Looking in
  const tcp::ControlBlock& block(uint32_t index) const {
    return blocks_[index];
  }
  const Slab<tcp::ControlBlock>& blocks() const { return blocks_; }
  // What the connection has in flight; nullptr if it has nothing to do with it.
  const tcp::SendState* send_state(uint32_t index) const {
    const uint32_t i = blocks_[index].send_state;
    return i == kNoIndex ? nullptr : &send_states_[i];
  }
  const Slab<tcp::SendState>& send_states() const { return send_states_; }
  const Slab<tcp::BbrState>& bbr_states() const { return bbr_states_; }
  const Slab<tcp::Request>& requests() const { return requests_; }
  const Slab<tcp::TimeWait>& time_waits() const { return time_waits_; }
  const Listeners& listeners() const { return listeners_; }
  const tcp::Config& config() const { return config_; }
  const Profiles& profiles() const { return profiles_; }
  // The options of a connection.
  const tcp::Config& options(uint32_t index) const {
    return profiles_[blocks_[index].profile];
  }
  const SocketTable& table() const { return table_; }
  Core& core() { return core_; }
  const tcp::Now& now() const { return core_.tcp_now; }

 private:
  struct Arrived {
    Packet* packet;
    tcp::FlowKey key;
    uint64_t hash;
    Entry entry;
    uint16_t device;
    bool congestion;
    bool passed_on;
  };

  tcp::Context MakeContext(uint32_t index) {
    return {options(index), core_.counters.tcp, core_.tcp_now,
            &core_.challenge_budget};
  }
  tcp::Context MakeContext() const {
    return {config_, core_.counters.tcp, core_.tcp_now,
            &core_.challenge_budget};
  }
  // The options of a connection that a request is about to become.
  const tcp::Config& OptionsOf(const tcp::Request& request) const {
    return profiles_[listeners_[request.listener].profile];
  }

  // tcp_input.cc
  void PrefetchArrived();
  bool IsSuperseded(const Arrived& a, const Arrived& next);
  void Dispatch(const Arrived& arrived);
  void ToConnection(uint32_t index, const Arrived& a,
                    const tcp::Segment& segment);
  bool Place(uint32_t index, Packet* packet, const tcp::Segment& segment,
             const tcp::IngestResult& result, SeqNum rcv_nxt_before);
  void Apply(uint32_t index, uint8_t events);
  tcp::ReceiveHoles* HolesFor(uint32_t index, const tcp::Segment& segment);
  tcp::ReceiveHoles* HolesOf(uint32_t index);
  void DropHolesIfEmpty(uint32_t index);
  bool MayTake(uint32_t index, const tcp::Segment& segment) const;
  bool MayPark(uint32_t index) const;
  void Refuse(const Arrived& a, const tcp::Segment& segment);

  // tcp_bulk.cc
  // Frames that one segment may need in the transmit queue.
  static constexpr uint32_t kTxPerSegment = 4;
  bool SendsInPlace(const Interface& interface) const;
  uint32_t LargeRun(uint32_t index, SeqNum seq, const Path& path);
  uint32_t RoomAtOnce(uint32_t index, const Path& path, uint32_t left);
  void TransmitPieces(uint32_t index, const Path& path,
                      const tcp::SegmentSpec& all, const tcp::Config& config);
  void TransmitLarge(uint32_t index, const Path& path,
                     const tcp::SegmentSpec& all, const tcp::Config& config);
  Packet* CopyIntoChain(ByteView bytes);

  // tcp_listen.cc
  void ToRequest(uint32_t index, const Arrived& a, const tcp::Segment& segment);
  void ToTimeWait(uint32_t index, const Arrived& a,
                  const tcp::Segment& segment);
  // `predecessor`: the TIME-WAIT record that the SYN takes over from.
  void ToListener(const Arrived& a, const tcp::Segment& segment,
                  const tcp::TimeWait* predecessor = nullptr);
  void Reopen(uint32_t index, const Arrived& a, const tcp::Segment& syn);
  bool RoomForRequest(const Listener& listener) const;
  void SendCookie(const Arrived& a, const tcp::Segment& syn,
                  const tcp::Config& options);
  bool AcceptCookie(const Arrived& a, const tcp::Segment& ack);
  void BeginRequest(tcp::Request& request, const Arrived& a) const;

  // tcp_open.cc
  void RetireRequest(uint32_t index);
  uint32_t Establish(uint32_t request, const Arrived& a);
  // `old`: the entry that the connection replaces, if there is one.
  uint32_t EstablishFrom(const tcp::Request& request, uint64_t hash, Entry old);
  void RetransmitSynAcks();
  uint16_t OwnMss(const tcp::FlowKey& key, const tcp::Config& options) const;
  void ForgetRequests(uint32_t listener);
  absl::StatusOr<uint16_t> ChoosePort(tcp::FlowKey key);
  uint16_t ProbePorts(tcp::FlowKey key, uint32_t first, uint32_t count,
                      uint32_t& start, uint32_t patience,
                      uint16_t& in_time_wait);
  bool PortIsFree(const tcp::FlowKey& key, bool* may_take_over) const;

  // tcp_move.cc
  void WishQuota();
  void GrantWishes(std::span<Application* const> applications);
  bool MayLeave(uint32_t index) const;
  bool Leave(uint32_t index, uint16_t to, Application& application);
  std::unique_ptr<MovedConnection> Pack(uint32_t index);
  void Send(std::unique_ptr<MovedConnection> moved);
  void SendOutbox();
  void ReportEnded();
  void ReportOver(const tcp::FlowKey& key);
  Taken Settle(const MovedConnection& moved);
  Taken Lose(const MovedConnection& moved);
  void Unpack(uint32_t index, const MovedConnection& moved);
  bool UnpackQueues(uint32_t index, const MovedConnection& moved);
  void SendReset(const tcp::ControlBlock& cb, const tcp::Config& options);
  void PassOn(const Arrived& a, uint16_t to);
  Entry EntryOf(const tcp::FlowKey& key) const {
    return table_.Find(key, HashOf(key));
  }
  void EraseEntry(const tcp::FlowKey& key, uint64_t hash, Entry entry) {
    table_.Erase(hash, entry);
    if (!moves_.guests.empty()) moves_.ended.push_back(key);
  }

  // tcp_output.cc
  bool EmitOne(uint32_t index);
  bool EmitDue(uint32_t index);
  bool EmitShort(uint32_t index);
  void FileTimer(uint32_t index);
  Packet* BuildData(uint32_t index, SeqNum seq, uint32_t length,
                    const Path& path);
  Packet* BuildWithStatic(const SendChunk& chunk, uint32_t offset,
                          uint32_t length);
  void SendBare(const tcp::FlowKey& key, const tcp::SegmentSpec& spec) {
    SendBare(key, spec, config_);
  }
  void SendBare(const tcp::FlowKey& key, const tcp::SegmentSpec& spec,
                const tcp::Config& options);
  void Transmit(const Path& path, Packet* packet, const tcp::FlowKey& key,
                const tcp::SegmentSpec& spec, const tcp::Config& options);

  // tcp_close.cc
  void PrefetchDue(std::span<const uint32_t> due);
  void MoveToTimeWait(uint32_t index);
  void RetireTimeWait(uint32_t index);
  void Detach(uint32_t index);
  void FreeBlock(uint32_t index);
  void FreeSendState(uint32_t index);
  void FitSendState(uint32_t index);
  void ReclaimSendStates();
  void RenegeInTurn();
  void ExpireTimeWaits();

  uint64_t HashOf(const tcp::FlowKey& key) const { return table_.Hash(key); }
  Buffers* BuffersOf(uint32_t index) {
    const uint32_t b = blocks_[index].buffers;
    return b == kNoIndex ? nullptr : &buffers_[b];
  }
  const Buffers* BuffersOf(uint32_t index) const {
    const uint32_t b = blocks_[index].buffers;
    return b == kNoIndex ? nullptr : &buffers_[b];
  }
  tcp::SendState* SendStateOf(uint32_t index) {
    const uint32_t i = blocks_[index].send_state;
    return i == kNoIndex ? nullptr : &send_states_[i];
  }
  tcp::SendState* NeedSendState(uint32_t index);
  Buffers* NeedBuffers(uint32_t index);
  void DropBuffersIfEmpty(uint32_t index);
  uint32_t ReceiveSpace(uint32_t index) const;
  static uint32_t SpaceIn(const Buffers* buffers, uint32_t all);
  void MarkDirty(uint32_t index);
  void MarkReady(uint32_t index, uint8_t events);
  void OnConsumed(uint32_t index);
  void OfferFreed(tcp::ControlBlock& cb, const Buffers* buffers,
                  const tcp::Context& ctx);
  void Renege(uint32_t index);
  void BlockWriter(uint32_t index);
  static SendChunk* ChunkOf(Packet* packet);
  SendChunk* AppendPacketChunk(uint32_t index, Packet* packet, SeqNum first);

  Core& core_;
  Ipv4Layer& ip_;
  tcp::Config config_;
  Profiles profiles_;
  TcpLimits limits_;

  Slab<tcp::ControlBlock> blocks_;
  Slab<tcp::Request> requests_;
  Slab<tcp::TimeWait> time_waits_;
  Slab<Buffers> buffers_;
  Slab<tcp::SendState> send_states_;
  Slab<tcp::BbrState> bbr_states_;  // of those of them that run BBR
  Slab<tcp::ReceiveHoles> holes_;
  ChunkPool chunks_;
  Moves moves_;
  SocketTable table_;
  TimerWheel wheel_;
  Listeners listeners_;
  bool closing_ = false;

  // Requests by how often their SYN-ACK was sent: one constant timeout each.
  std::array<IndexList<tcp::Request>, 8> request_lists_;
  IndexList<tcp::TimeWait> time_wait_list_;

  WorkList dirty_;
  std::vector<uint32_t> ready_;
  std::vector<uint32_t> ready_now_;  // being told in Notify
  std::array<Arrived, kMaxBurst> arrived_;
  uint32_t arrived_count_ = 0;
  uint32_t generation_ = 0;
  uint32_t reclaim_next_ = 0;       // the send state to be looked at next
  uint32_t send_states_taken_ = 0;  // since it was looked at last
  uint32_t renege_next_ = 0;        // and the connection, for RenegeInTurn
  uint32_t reset_tokens_ = 0;
  Time reset_refilled_ = kTimeZero;
  Time cookies_until_ = kTimeZero;  // none that was sent is good after it
  uint32_t next_port_ = 0;          // RFC 6056's counter
  rte_mbuf_ext_shared_info& static_owner_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_TCP_LAYER_H_
