// Segments for which there is no control block: they reach a listener, a
// request that waits for its handshake, or what is left of a connection
// (TIME-WAIT).
#include <algorithm>

#include "dataplane/pipeline/tcp_short.h"
#include "proto/tcp/isn.h"
#include "proto/tcp/syn_cookie.h"

namespace corelane::dataplane {

void TcpLayer::ToRequest(uint32_t index, const Arrived& a,
                         const tcp::Segment& segment) {
  tcp::Request& request = requests_[index];
  const tcp::Config& options = OptionsOf(request);
  const uint32_t window = std::min<uint32_t>(options.receive_buffer, 0xffff);
  const tcp::Now now = core_.tcp_now;
  switch (tcp::OnRequestSegment(request, segment, window, now)) {
    case tcp::RequestVerdict::kIgnore:
      break;
    case tcp::RequestVerdict::kResendSynAck:
      SendBare(a.key,
               tcp::SynAck(request, OwnMss(a.key, options), options, now),
               options);
      break;
    case tcp::RequestVerdict::kChallengeAck:
      if (core_.challenge_budget == 0) break;
      --core_.challenge_budget;
      ++core_.counters.tcp.challenge_acks;
      SendBare(a.key, tcp::RequestChallenge(request, options, now), options);
      break;
    case tcp::RequestVerdict::kReset:
      // An earlier SYN may have been answered with a cookie.
      if (AcceptCookie(a, segment)) return;
      Refuse(a, segment);
      break;
    case tcp::RequestVerdict::kDelete:
      ++core_.counters.tcp.resets_in;
      EraseEntry(a.key, a.hash, Entry(EntryKind::kRequest, index));
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
  switch (tcp::OnTimeWaitSegment(record, segment, MakeContext())) {
    case tcp::TimeWaitVerdict::kIgnore:
      break;
    case tcp::TimeWaitVerdict::kAck:
      record.expires = core_.tcp_now.tick + tcp::ToTicks(config_.time_wait);
      time_wait_list_.Remove(time_waits_, index);
      time_wait_list_.PushBack(time_waits_, index);
      [[fallthrough]];
    case tcp::TimeWaitVerdict::kAckOnly:
      SendBare(a.key, tcp::TimeWaitAck(record, core_.tcp_now));
      break;
    case tcp::TimeWaitVerdict::kReopen:
      Reopen(index, a, segment);
      return;
  }
  ++core_.counters.delivered;
  core_.pool.Free(a.packet);
}

// A new connection takes over the address pair, numbered past the old one.
void TcpLayer::Reopen(uint32_t index, const Arrived& a,
                      const tcp::Segment& syn) {
  const Listener* listener =
      listeners_.Find(a.key.local(), a.key.local_port, a.device);
  // A cookie's number cannot be made to lie past the old connection's.
  if (listener == nullptr || !RoomForRequest(*listener)) {
    core_.Drop(a.packet, listener == nullptr ? DropReason::kTcpNoSocket
                                             : DropReason::kTcpBacklog);
    return;
  }
  const tcp::TimeWait record = time_waits_[index];
  EraseEntry(a.key, a.hash, Entry(EntryKind::kTimeWait, index));
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
    if (listener != nullptr && AcceptCookie(a, segment)) return;
    // A segment without SYN, ACK or RST is dropped in LISTEN, not refused.
    if (listener == nullptr || segment.Has(tcp::kAck)) Refuse(a, segment);
    core_.Drop(a.packet, DropReason::kTcpNoSocket);
    return;
  }
  if (segment.Has(tcp::kFin)) {
    core_.Drop(a.packet, DropReason::kTcpStraySyn);
    return;
  }
  if (listener->AcceptQueueFull()) {
    core_.Drop(a.packet, DropReason::kTcpBacklog);
    return;
  }
  if (!RoomForRequest(*listener)) {
    SendCookie(a, segment, profiles_[listener->profile]);
    return;
  }
  const uint32_t index = requests_.Allocate();
  if (index == kNoIndex ||
      !table_.Insert(a.hash, Entry(EntryKind::kRequest, index))) {
    if (index != kNoIndex) requests_.Free(index);
    core_.Drop(a.packet, DropReason::kTcpNoMemory);
    return;
  }
  tcp::Request& request = requests_[index];
  BeginRequest(request, a);
  request.listener = listeners_.IndexOf(listener);
  request.in_use = 1;
  ++listener->requests;
  SeqNum iss = tcp::InitialSequence(a.key, core_.secrets.isn, core_.now);
  if (predecessor != nullptr) {
    iss = tcp::SuccessorSequence(*predecessor, iss);
  }
  const tcp::Config& options = OptionsOf(request);
  tcp::OpenPassive(request, segment, iss, options, core_.tcp_now);
  request.deadline = core_.tcp_now.tick + tcp::ToTicks(options.rto_initial);
  request_lists_[0].PushBack(requests_, index);
  SendBare(a.key,
           tcp::SynAck(request, OwnMss(a.key, options), options, core_.tcp_now),
           options);
  ++core_.counters.delivered;
  core_.pool.Free(a.packet);
}

bool TcpLayer::RoomForRequest(const Listener& listener) const {
  return listener.requests < listener.backlog &&
         requests_.in_use() < requests_.capacity();
}

void TcpLayer::BeginRequest(tcp::Request& request, const Arrived& a) const {
  request.key = a.key;
  request.port = a.device;
  request.ts_offset = tcp::TimestampOffset(a.key, core_.secrets.timestamps);
}

// No room for the request: the peer keeps it for us.
void TcpLayer::SendCookie(const Arrived& a, const tcp::Segment& syn,
                          const tcp::Config& options) {
  if (!options.syn_cookies) {
    core_.Drop(a.packet, DropReason::kTcpBacklog);
    return;
  }
  tcp::Request request;
  BeginRequest(request, a);
  tcp::OpenPassive(request, syn, SeqNum(), options, core_.tcp_now);
  SendBare(a.key,
           tcp::CookieSynAck(request, OwnMss(a.key, options), options,
                             core_.secrets.cookies, core_.now),
           options);
  cookies_until_ = core_.now + tcp::kCookieLifetime;
  ++core_.counters.tcp.syn_cookies_sent;
  ++core_.counters.delivered;
  core_.pool.Free(a.packet);
}

// Whether the segment completes a handshake that we kept nothing of. Asked only
// while a cookie may be out, so that stray ACKs cost nothing at other times.
bool TcpLayer::AcceptCookie(const Arrived& a, const tcp::Segment& ack) {
  if (core_.now >= cookies_until_ || !ack.Has(tcp::kAck) ||
      ack.Has(tcp::kSyn | tcp::kRst)) {
    return false;
  }
  const Listener* listener =
      listeners_.Find(a.key.local(), a.key.local_port, a.device);
  tcp::Request request;
  BeginRequest(request, a);
  if (listener == nullptr ||
      !tcp::OpenFromCookie(request, ack, core_.secrets.cookies, core_.now)) {
    ++core_.counters.tcp.syn_cookies_failed;
    return false;
  }
  if (listener->AcceptQueueFull()) {
    // Not refused: the peer's data, sent again, carries the cookie again.
    core_.Drop(a.packet, DropReason::kTcpBacklog);
    return true;
  }
  request.listener = listeners_.IndexOf(listener);
  const Entry old = table_.Find(a.key, a.hash);
  const uint32_t index = EstablishFrom(request, a.hash, old);
  if (index == kNoIndex) {
    core_.Drop(a.packet, DropReason::kTcpNoMemory);
    return true;
  }
  ++core_.counters.tcp.syn_cookies_accepted;
  MarkReady(index, kOpened);
  ToConnection(index, a, ack);
  return true;
}

}  // namespace corelane::dataplane
