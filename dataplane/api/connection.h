// A TCP connection as an application sees it.
#ifndef CORELANE_DATAPLANE_API_CONNECTION_H_
#define CORELANE_DATAPLANE_API_CONNECTION_H_

#include <cstdint>

#include "dataplane/packet/packet.h"
#include "proto/base/bytes.h"
#include "proto/base/time.h"
#include "proto/tcp/control_block.h"

namespace corelane::dataplane {

class TcpLayer;

// A cheap handle: copy it freely. It names the connection by index, so it costs
// nothing to keep; but once the connection is closed or gone it must not be
// used. Functions are to be called on the connection's own core.
class Connection {
 public:
  Connection() = default;
  Connection(TcpLayer* tcp, uint32_t index) : tcp_(tcp), index_(index) {}

  uint32_t index() const { return index_; }
  const tcp::ControlBlock& control_block() const;
  const tcp::FlowKey& key() const { return control_block().key; }
  tcp::State state() const { return control_block().state; }
  tcp::Error error() const { return control_block().error; }

  // Four bytes that belong to the application; 0 at first.
  uint32_t app_data() const { return control_block().app_data; }
  void set_app_data(uint32_t value);

  // ---- Receiving
  // Bytes in order that were not consumed.
  uint32_t readable() const;
  // Whether the peer has closed its side and everything before was consumed.
  bool at_end() const;
  // The first contiguous run of them, in the packet they arrived in; empty if
  // there is none. Valid until the next call that changes the connection.
  ByteView Front() const;
  // Drops the first `n` bytes; n <= readable().
  void Consume(uint32_t n);
  // Copies bytes from `offset` on without consuming them, as many as there are
  // and fit; returns how many.
  uint32_t Peek(uint32_t offset, MutableByteView out) const;
  // Hands over the first packet, its data being payload. The caller owns it and
  // sends it on (SendPacket) or frees it (FreePacket). nullptr if there is
  // none.
  Packet* TakeFront();
  void FreePacket(Packet* packet);

  // ---- Sending. All of these queue; what may leave is sent at the end of the
  // turn. They return how much was taken, less than asked (perhaps 0) when the
  // send buffer or memory is full; then kWritable is told later.
  uint32_t send_space() const;
  // Whether so much of it is free that it is worth going on.
  bool writable() const;
  uint32_t Send(ByteView bytes);        // copies
  uint32_t SendStatic(ByteView bytes);  // the bytes must outlive the connection
  // Sends a packet's data without copying. Takes ownership if it returns true.
  bool SendPacket(Packet* packet);
  // Sends the first received packet back as it is. False, and nothing done, if
  // there is none or no room for all of it.
  bool ReturnFront();
  // kWritable is told when there is send space again, as after a Send that took
  // less than asked.
  void AskWritable();

  // ---- Ending
  // Ends our stream after what is queued; receiving goes on (half close).
  void ShutdownSend();
  // Lets go in order: what is queued is sent, then FIN. Unread data makes it a
  // reset, so that the peer knows that it was not read (RFC 9293 section
  // 3.6.1). The handle is invalid afterwards.
  void Close();
  // Lets go with a reset. The handle is invalid afterwards.
  void Abort();

  // ---- Miscellaneous
  // kTimer after this long; replaces an earlier setting.
  void SetTimer(Duration after);
  void ClearTimer();
  void SetNoDelay(bool on);
  // Acknowledges at once for a while; or delays ACKs from now on.
  void SetQuickAck(bool on);
  // Asks that the connection go to another core, with all that is queued: at
  // the end of the turn, or as soon as nothing waits behind a gap. The
  // application gives it away in OnLeave and takes it up there in OnArrive. The
  // handle stays good until OnLeave returns true. False if there is no such
  // core, or it is this one; true is no promise: there may be no room.
  bool MoveTo(uint16_t core);
  // Gives it other options (TcpLayer::AcquireProfile).
  void SetProfile(uint16_t profile);

 private:
  TcpLayer* tcp_ = nullptr;
  uint32_t index_ = tcp::kNoIndex;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_API_CONNECTION_H_
