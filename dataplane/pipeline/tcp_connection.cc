// What applications call: reading, writing and ending a connection.
#include <algorithm>
#include <cstring>

#include "dataplane/api/connection.h"
#include "dataplane/pipeline/tcp_short.h"
#include "proto/tcp/close.h"
#include "proto/tcp/emit.h"
#include "proto/tcp/receive_tuning.h"
#include "proto/tcp/send_room.h"
#include "proto/tcp/timers.h"

namespace corelane::dataplane {

void TcpLayer::SetAppData(uint32_t index, uint32_t value) {
  blocks_[index].app_data = value;
}

void TcpLayer::Consume(uint32_t index, uint32_t n) {
  if (n == 0) return;
  BuffersOf(index)->receive.Consume(n, core_.pool);
  OnConsumed(index);
}

// Bytes that a connection may queue of those wanted, for all that memory says.
inline uint32_t TcpLayer::ShareForSending(const tcp::ControlBlock& cb,
                                          uint32_t wanted) const {
  // In full segments less than a sixth of the packets, even with the smallest
  // MSS: no need to know exactly.
  const uint64_t all = uint64_t{tcp::Queued(cb)} + wanted;
  if (all <= uint64_t{core_.packets_left} * 8) [[likely]] {
    return wanted;
  }
  return ExactShare(cb, wanted);
}

uint32_t TcpLayer::ExactShare(const tcp::ControlBlock& cb,
                              uint32_t wanted) const {
  const uint32_t queued = tcp::Queued(cb);
  core_.CheckMemory();
  // Who has nothing queued gets a packet, or nobody would tell it of more.
  const uint32_t least = queued == 0 && !core_.no_memory ? 1 : 0;
  const uint64_t share =
      uint64_t{std::max(core_.packets_left / 4, least)} * cb.mss;
  if (share <= queued) return 0;
  return static_cast<uint32_t>(std::min<uint64_t>(share - queued, wanted));
}

bool TcpLayer::IsWritable(uint32_t index) const {
  return SendSpace(index) > 0 && ShareForSending(blocks_[index], 1) > 0 &&
         tcp::WorthWriting(blocks_[index], options(index));
}

// The application will be told kWritable: when acknowledgments make room or, if
// it is memory that is short and nothing is in flight, in the next turn.
void TcpLayer::BlockWriter(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  cb.Set(tcp::kWriteBlocked);
  if (cb.snd_queued == cb.snd_una && SendSpace(index) > 0) {
    MarkReady(index, kWritable);
  }
}

uint32_t TcpLayer::Send(uint32_t index, ByteView bytes) {
  tcp::ControlBlock& cb = blocks_[index];
  const auto wanted = static_cast<uint32_t>(bytes.size());
  const uint32_t take = ShareForSending(cb, std::min(wanted, SendSpace(index)));
  uint32_t done = 0;
  while (done < take) {
    // Fill up the last packet while nothing of it was sent.
    Buffers* buffers = NeedBuffers(index);
    SendChunk* tail = buffers->send.tail();
    uint32_t room = 0;
    if (tail != nullptr && tail->packet != nullptr &&
        tail->packet->refcnt == 1 && tail->length < cb.mss &&
        tail->data == DataOf(tail->packet) &&
        cb.snd_nxt <= cb.snd_queued - tail->length) {
      room =
          std::min<uint32_t>(TailroomOf(tail->packet), cb.mss - tail->length);
    }
    if (room == 0) {
      core_.NoteBound(1);
      const bool enough = core_.low_memory && tcp::Queued(cb) > 0;
      Packet* packet = enough ? nullptr : core_.pool.Alloc();
      if (packet == nullptr) break;
      tail = AppendPacketChunk(index, packet, cb.snd_queued);
      room = std::min<uint32_t>(TailroomOf(packet), cb.mss);
    }
    const uint32_t n = std::min(room, take - done);
    std::memcpy(Append(tail->packet, static_cast<uint16_t>(n)),
                bytes.data() + done, n);
    tail->length += n;
    cb.snd_queued += n;
    done += n;
  }
  if (done < wanted) BlockWriter(index);
  if (done > 0) MarkDirty(index);
  DropBuffersIfEmpty(index);
  return done;
}

uint32_t TcpLayer::SendStatic(uint32_t index, ByteView bytes) {
  tcp::ControlBlock& cb = blocks_[index];
  const auto wanted = static_cast<uint32_t>(bytes.size());
  const uint32_t take = std::min(wanted, SendSpace(index));
  SendChunk* chunk = take > 0 ? chunks_.Allocate() : nullptr;
  if (chunk == nullptr) {
    if (wanted > 0) BlockWriter(index);
    return 0;
  }
  *chunk = {nullptr, bytes.data(), nullptr, take};
  NeedBuffers(index)->send.Append(chunk, cb.snd_queued);
  cb.snd_queued += take;
  if (take < wanted) cb.Set(tcp::kWriteBlocked);
  MarkDirty(index);
  return take;
}

bool TcpLayer::SendPacket(uint32_t index, Packet* packet) {
  tcp::ControlBlock& cb = blocks_[index];
  if (SendSpace(index) < packet->data_len) {
    cb.Set(tcp::kWriteBlocked);
    return false;
  }
  if (packet->data_len == 0) {
    core_.pool.Free(packet);
    return true;
  }
  packet->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
  AppendPacketChunk(index, packet, cb.snd_queued);
  cb.snd_queued += packet->data_len;
  MarkDirty(index);
  return true;
}

// TakeFront and SendPacket in one.
bool TcpLayer::ReturnFront(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  Buffers* buffers = BuffersOf(index);
  if (buffers == nullptr || !tcp::MaySend(cb.state)) return false;
  const ByteView front = buffers->receive.Front();
  const tcp::Context ctx = MakeContext(index);
  if (front.empty() || tcp::SendRoom(cb, ctx.config) < front.size()) {
    return false;
  }
  Packet* packet = buffers->receive.TakeFront();
  OfferFreed(cb, buffers, ctx);
  packet->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
  buffers->send.Append(ChunkOf(packet), cb.snd_queued);
  cb.snd_queued += packet->data_len;
  MarkDirty(index);
  return true;
}

void TcpLayer::ShutdownSend(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (tcp::CloseSend(cb)) {
    MarkDirty(index);
  } else if (!cb.Has(tcp::kDetached)) {
    // Still in SYN-SENT: that deletes it (RFC 9293 section 3.10.4).
    cb.error = tcp::Error::kAborted;
    Detach(index);
    MarkReady(index, kGone);
  }
}

void TcpLayer::Close(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.Has(tcp::kDetached)) {
    FreeBlock(index);
    return;
  }
  if (Readable(index) > 0) {
    Abort(index);
    return;
  }
  cb.flags &= 0x00ffffffu;  // nobody is left to be told
  cb.Clear(tcp::kReady);
  if (tcp::Release(cb, MakeContext(index))) {
    MarkDirty(index);
  } else {
    FreeBlock(index);
  }
}

void TcpLayer::Abort(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (!cb.Has(tcp::kDetached)) SendReset(cb, options(index));
  cb.error = tcp::Error::kAborted;
  FreeBlock(index);
}

void TcpLayer::Break(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.Has(tcp::kDetached)) return;
  tcp::SegmentSpec reset;
  if (tcp::AbortSegment(cb, core_.tcp_now, reset)) {
    ++core_.counters.tcp.resets_out;
    SendBare(cb.key, reset, options(index));
  }
  cb.error = tcp::Error::kAborted;
  Apply(index, tcp::kBroken);
}

void TcpLayer::SetTimer(uint32_t index, Duration after) {
  tcp::ArmApp(blocks_[index], core_.tcp_now, after);
  wheel_.Schedule(index, blocks_[index].app_deadline);
}

void TcpLayer::ClearTimer(uint32_t index) {
  blocks_[index].Clear(tcp::kAppTimer);
}

// Copies waiting bytes without consuming them; returns how many there were.
uint32_t TcpLayer::Peek(uint32_t index, uint32_t offset,
                        MutableByteView out) const {
  const Buffers* buffers = BuffersOf(index);
  return buffers == nullptr ? 0 : buffers->receive.Peek(offset, out);
}

void TcpLayer::AskWritable(uint32_t index) { BlockWriter(index); }

void TcpLayer::SetQuickAck(uint32_t index, bool on) {
  constexpr uint8_t kQuickAcks = 16;
  tcp::ControlBlock& cb = blocks_[index];
  cb.quick_acks = on ? kQuickAcks : 0;
  if (on && cb.Has(tcp::kAckTimer)) {
    cb.Set(tcp::kAckNow);
    MarkDirty(index);
  }
}

void TcpLayer::SetNoDelay(uint32_t index, bool on) {
  if (on) {
    blocks_[index].Set(tcp::kNoDelay);
    MarkDirty(index);
  } else {
    blocks_[index].Clear(tcp::kNoDelay);
  }
}

// ------------------------------------------------------- the handle's side

const tcp::ControlBlock& Connection::control_block() const {
  return tcp_->block(index_);
}
void Connection::set_app_data(uint32_t value) {
  tcp_->SetAppData(index_, value);
}
uint32_t Connection::readable() const { return tcp_->Readable(index_); }
bool Connection::at_end() const { return tcp_->AtEnd(index_); }
ByteView Connection::Front() const { return tcp_->Front(index_); }
void Connection::Consume(uint32_t n) { tcp_->Consume(index_, n); }
Packet* Connection::TakeFront() { return tcp_->TakeFront(index_); }
void Connection::FreePacket(Packet* packet) { tcp_->core().pool.Free(packet); }
bool Connection::ReturnFront() { return tcp_->ReturnFront(index_); }
uint32_t Connection::send_space() const { return tcp_->SendSpace(index_); }
bool Connection::writable() const { return tcp_->IsWritable(index_); }
uint32_t Connection::Send(ByteView bytes) { return tcp_->Send(index_, bytes); }
uint32_t Connection::SendStatic(ByteView bytes) {
  return tcp_->SendStatic(index_, bytes);
}
bool Connection::SendPacket(Packet* packet) {
  return tcp_->SendPacket(index_, packet);
}
void Connection::ShutdownSend() { tcp_->ShutdownSend(index_); }
void Connection::Close() { tcp_->Close(index_); }
void Connection::Abort() { tcp_->Abort(index_); }
void Connection::SetTimer(Duration after) { tcp_->SetTimer(index_, after); }
void Connection::ClearTimer() { tcp_->ClearTimer(index_); }
void Connection::SetNoDelay(bool on) { tcp_->SetNoDelay(index_, on); }
uint32_t Connection::Peek(uint32_t offset, MutableByteView out) const {
  return tcp_->Peek(index_, offset, out);
}
void Connection::AskWritable() { tcp_->AskWritable(index_); }
void Connection::SetQuickAck(bool on) { tcp_->SetQuickAck(index_, on); }
bool Connection::MoveTo(uint16_t core) { return tcp_->WishMove(index_, core); }
void Connection::SetProfile(uint16_t profile) {
  tcp_->SetProfile(index_, profile);
}

}  // namespace corelane::dataplane
