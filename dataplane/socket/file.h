// What a file descriptor of a SocketStack stands for.
#ifndef CORELANE_DATAPLANE_SOCKET_FILE_H_
#define CORELANE_DATAPLANE_SOCKET_FILE_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "dataplane/api/connection.h"
#include "dataplane/api/udp_socket.h"
#include "dataplane/flow/profiles.h"
#include "dataplane/socket/address.h"
#include "proto/base/time.h"

namespace corelane::socket {

class EpollSet;

struct File {
  enum class Kind : uint8_t { kTcp, kUdp, kEpoll };

  explicit File(Kind k) : kind(k) {}
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const Kind kind;
  bool nonblocking = false;
  bool close_on_exec = false;
  int fd = -1;          // -1: not open (yet, or any more)
  uint32_t handle = 0;  // by which the stack knows it, never 0 once it does
  std::vector<EpollSet*> watchers;
};

struct SocketFile : File {
  using File::File;

  int family = AF_INET;
  bool bound = false;  // local.port is its own
  bool reuse_address = false;
  bool reuse_port = false;
  bool read_shut = false;
  bool write_shut = false;
  int error = 0;  // an errno that the next call reports
  Endpoint local;
  Endpoint remote;
  Duration receive_timeout{};  // 0: for ever
  Duration send_timeout{};
};

struct TcpSocket : SocketFile {
  enum class Phase : uint8_t {
    kIdle,
    kListening,
    kConnecting,
    kOpen,    // `connection` is valid
    kBroken,  // reset or timed out
  };

  TcpSocket() : SocketFile(Kind::kTcp) {}

  Phase phase = Phase::kIdle;
  uint16_t profile = dataplane::Profiles::kDefault;  // one reference is ours
  // From kConnecting to the end of kOpen.
  dataplane::Connection connection;
  bool peer_closed = false;  // its FIN came
  bool connect_told = true;  // connect() has reported how it ended
  Time heard_at;             // when data came last
  bool nodelay = false;
  bool cork = false;
  bool linger = false;
  Duration linger_time{};
  uint32_t receive_low = 1;  // SO_RCVLOWAT
  Duration defer_accept{};
  uint32_t notsent_low = 0;  // TCP_NOTSENT_LOWAT; 0: no limit
  // What was received before the connection broke.
  std::vector<uint8_t> leftover;
  size_t leftover_begin = 0;
  // Less than a segment, held back by TCP_CORK or MSG_MORE.
  std::vector<uint8_t> corked;

  // ---- Listening
  uint32_t listener = 0;
  uint32_t backlog = 0;
  std::deque<std::shared_ptr<TcpSocket>> accept_queue;
  std::vector<std::shared_ptr<TcpSocket>> deferred;  // wait for first data
  uint32_t parent = 0;  // of a deferred one: the listener's handle

  bool attached() const {
    return phase == Phase::kConnecting || phase == Phase::kOpen;
  }
  // How much more may be queued before TCP_NOTSENT_LOWAT says no; phase kOpen.
  uint32_t UnsentRoom() const {
    const tcp::ControlBlock& cb = connection.control_block();
    if (notsent_low == 0) return UINT32_MAX;
    const uint32_t unsent = cb.snd_queued - cb.snd_nxt;
    return unsent < notsent_low ? notsent_low - unsent : 0;
  }
  size_t Readable() const {
    return attached() ? connection.readable()
                      : leftover.size() - leftover_begin;
  }
};

struct DatagramSocket : SocketFile {
  struct Received {
    Endpoint from;
    std::vector<uint8_t> bytes;
  };

  DatagramSocket() : SocketFile(Kind::kUdp) {}

  dataplane::UdpSocket socket;  // valid while bound
  bool connected = false;
  uint8_t tos = 0;
  uint8_t ttl = 64;
  uint32_t receive_limit = 212992;  // bytes that may wait
  uint32_t waiting_bytes = 0;
  std::deque<Received> waiting;
  std::vector<uint8_t> corked;  // MSG_MORE: the datagram in the making
  Endpoint corked_to;
};

}  // namespace corelane::socket

#endif  // CORELANE_DATAPLANE_SOCKET_FILE_H_
