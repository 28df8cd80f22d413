// Segments for which there is no control block: they reach a listener, a
// request that waits for its handshake, or what is left of a connection
// (TIME-WAIT).
#include <algorithm>

#include "dataplane/pipeline/tcp_layer.h"
#include "proto/tcp/isn.h"

namespace corelane::dataplane {

void TcpLayer::ToRequest(uint32_t index, const Arrived& a,
                         const tcp::Segment& segment) {
  const tcp::Request& request = requests_[index];
  const tcp::Config& options = OptionsOf(request);
  const uint32_t window = std::min<uint32_t>(options.receive_buffer, 0xffff);
  switch (tcp::OnRequestSegment(request, segment, window)) {
    case tcp::RequestVerdict::kIgnore:
      break;
    case tcp::RequestVerdict::kResendSynAck:
      SendBare(a.key, tcp::SynAck(request, OwnMss(a.key, options), options),
               options);
      break;
    case tcp::RequestVerdict::kChallengeAck: {
      tcp::SegmentSpec ack;
      ack.seq = request.iss + 1;
      ack.ack = request.irs + 1;
      ack.flags = tcp::kAck;
      ack.window = static_cast<uint16_t>(window);
      ++core_.counters.tcp.challenge_acks;
      SendBare(a.key, ack);
      break;
    }
    case tcp::RequestVerdict::kReset:
      Refuse(a, segment);
      break;
    case tcp::RequestVerdict::kDelete:
      ++core_.counters.tcp.resets_in;
      table_.Erase(a.hash, Entry(EntryKind::kRequest, index));
      RetireRequest(index);
      break;
    case tcp::RequestVerdict::kAccept: {
      // The request stays: the peer will repeat what it sent, or we our
      // SYN-ACK.
      if (listeners_[request.listener].AcceptQueueFull()) {
        core_.Drop(a.packet, DropReason::kTcpBacklog);
        return;
      }
      const uint32_t connection = Establish(index, a);
      if (connection == kNoIndex) {
        // The request stays: the peer's retransmission may find room.
        core_.Drop(a.packet, DropReason::kTcpNoMemory);
        return;
      }
      MarkReady(connection, kOpened);
      ToConnection(connection, a, segment);
      return;
    }
  }
  ++core_.counters.delivered;
  core_.pool.Free(a.packet);
}

void TcpLayer::ToTimeWait(uint32_t index, const Arrived& a,
                          const tcp::Segment& segment) {
  tcp::TimeWait& record = time_waits_[index];
  switch (tcp::OnTimeWaitSegment(record, segment)) {
    case tcp::TimeWaitVerdict::kIgnore:
      break;
    case tcp::TimeWaitVerdict::kAck:
      record.expires = core_.tcp_now.tick + tcp::ToTicks(config_.time_wait);
      time_wait_list_.Remove(time_waits_, index);
      time_wait_list_.PushBack(time_waits_, index);
      [[fallthrough]];
    case tcp::TimeWaitVerdict::kAckOnly:
      SendBare(a.key, tcp::TimeWaitAck(record));
      break;
    case tcp::TimeWaitVerdict::kReopen:
      if (listeners_.Find(a.key.local(), a.key.local_port, a.device) ==
          nullptr) {
        break;
      }
      Reopen(index, a, segment);
      return;
  }
  ++core_.counters.delivered;
  core_.pool.Free(a.packet);
}

// A new connection takes over the address pair, numbered past the old one.
void TcpLayer::Reopen(uint32_t index, const Arrived& a,
                      const tcp::Segment& syn) {
  const tcp::TimeWait record = time_waits_[index];
  table_.Erase(a.hash, Entry(EntryKind::kTimeWait, index));
  RetireTimeWait(index);
  ToListener(a, syn, &record);
}

// RFC 9293 sections 3.10.7.1 (CLOSED) and 3.10.7.2 (LISTEN).
void TcpLayer::ToListener(const Arrived& a, const tcp::Segment& segment,
                          const tcp::TimeWait* predecessor) {
  Listener* listener =
      segment.Has(tcp::kRst)
          ? nullptr
          : listeners_.Find(a.key.local(), a.key.local_port, a.device);
  if (listener == nullptr || segment.Has(tcp::kAck) ||
      !segment.Has(tcp::kSyn)) {
    // A segment without SYN, ACK or RST is dropped in LISTEN, not refused.
    if (listener == nullptr || segment.Has(tcp::kAck)) Refuse(a, segment);
    core_.Drop(a.packet, DropReason::kTcpNoSocket);
    return;
  }
  if (segment.Has(tcp::kFin)) {
    core_.Drop(a.packet, DropReason::kTcpStraySyn);
    return;
  }
  if (listener->requests >= listener->backlog || listener->AcceptQueueFull()) {
    core_.Drop(a.packet, DropReason::kTcpBacklog);
    return;
  }
  if (requests_.in_use() == requests_.capacity()) {
    // The oldest gives way: under a flood of SYNs that nobody completes, a real
    // peer then still gets through within the time the ring takes to turn.
    for (auto& list : request_lists_) {
      if (list.empty()) continue;
      const uint32_t oldest = list.front();
      table_.Erase(HashOf(requests_[oldest].key),
                   Entry(EntryKind::kRequest, oldest));
      RetireRequest(oldest);
      ++core_.counters.tcp.failed_opens;
      break;
    }
  }
  const uint32_t index = requests_.Allocate();
  if (index == kNoIndex ||
      !table_.Insert(a.hash, Entry(EntryKind::kRequest, index))) {
    if (index != kNoIndex) requests_.Free(index);
    core_.Drop(a.packet, DropReason::kTcpNoMemory);
    return;
  }
  tcp::Request& request = requests_[index];
  request.key = a.key;
  request.port = a.device;
  request.listener = listeners_.IndexOf(listener);
  request.in_use = 1;
  ++listener->requests;
  SeqNum iss = tcp::InitialSequence(a.key, core_.secrets.isn, core_.now);
  if (predecessor != nullptr) {
    iss = tcp::SuccessorSequence(*predecessor, iss);
  }
  tcp::OpenPassive(request, segment, iss, core_.tcp_now);
  const tcp::Config& options = OptionsOf(request);
  request.deadline = core_.tcp_now.tick + tcp::ToTicks(options.rto_initial);
  request_lists_[0].PushBack(requests_, index);
  SendBare(a.key, tcp::SynAck(request, OwnMss(a.key, options), options),
           options);
  ++core_.counters.delivered;
  core_.pool.Free(a.packet);
}

}  // namespace corelane::dataplane
