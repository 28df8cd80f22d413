// The POSIX socket calls on top of one core's stack.
//
// For programs, and for people, that think in file descriptors. Each call does
// what its namesake in <sys/socket.h> does: -1 and errno, or the result. It is
// made on the core that runs the pipeline, between turns of the loop. A call
// that may not wait (O_NONBLOCK, MSG_DONTWAIT) never runs a turn; one that
// waits asks the Driver for turns.
//
// TCP and UDP over IPv4. AF_INET6 sockets take and give IPv4-mapped addresses
// and reach no others. Differences from Linux, all on purpose:
//   - SIGPIPE does not exist: EPIPE alone.
//   - SO_RCVBUF and SO_SNDBUF count payload. As in Linux, getsockopt gives back
//     twice what was set. That is a mark for the send buffer, which a piece of
//     data begun below it may pass (proto/tcp/send_room.h); the receive window
//     is what was asked for.
//   - A full accept queue: the ACK that would complete a further connection is
//     dropped, and so are SYNs; the peer's repetition finds room or times out.
//     As in Linux, listen(n) lets n + 1 connections wait.
//   - TCP_DEFER_ACCEPT: the connection is established, and given to accept()
//     when data, the end of the peer's stream or the end of the time comes.
//   - SO_REUSEADDR: connections that an earlier listener accepted never keep a
//     new one from its port. SO_REUSEPORT: not supported.
//   - An epoll set cannot watch another.
//   - What is not implemented fails with ENOPROTOOPT or EOPNOTSUPP.
#ifndef CORELANE_DATAPLANE_SOCKET_SOCKET_STACK_H_
#define CORELANE_DATAPLANE_SOCKET_SOCKET_STACK_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <queue>
#include <span>
#include <unordered_map>
#include <vector>

#include "dataplane/api/application.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/socket/driver.h"
#include "dataplane/socket/epoll_set.h"
#include "dataplane/socket/file.h"

namespace corelane::socket {

struct SocketStackOptions {
  int first_fd = 0;  // descriptors count from here
  uint32_t max_files = 65536;
  // Bounds of SO_RCVBUF and SO_SNDBUF, in bytes of payload.
  uint32_t max_buffer = 16 * 1024 * 1024;
};

class SocketStack : public dataplane::Application {
 public:
  // Registers itself as an application of the pipeline, and must outlive it;
  // no call may be made after the pipeline's end. The driver outlives both.
  SocketStack(dataplane::Pipeline* pipeline, Driver* driver,
              const SocketStackOptions& options = {});
  ~SocketStack() override;
  SocketStack(const SocketStack&) = delete;
  SocketStack& operator=(const SocketStack&) = delete;

  // The TCP options that sockets start with from now on; the pipeline's at
  // first. False if there are too many different ones in use.
  bool SetDefaults(const tcp::Config& options);

  // Whether the descriptor belongs here.
  bool Owns(int fd) const { return Find(fd) != nullptr; }
  // What it is ready for now, as EPOLL* bits.
  static uint32_t Readiness(const File& file);

  // ---- Sockets
  int Socket(int domain, int type, int protocol);
  int Bind(int fd, const sockaddr* address, socklen_t length);
  int Listen(int fd, int backlog);
  int Accept(int fd, sockaddr* address, socklen_t* length) {
    return Accept4(fd, address, length, 0);
  }
  int Accept4(int fd, sockaddr* address, socklen_t* length, int flags);
  int Connect(int fd, const sockaddr* address, socklen_t length);
  int Shutdown(int fd, int how);
  int Close(int fd);
  int GetSockName(int fd, sockaddr* address, socklen_t* length);
  int GetPeerName(int fd, sockaddr* address, socklen_t* length);

  // ---- Receiving and sending
  ssize_t Read(int fd, void* buffer, size_t n);
  ssize_t Readv(int fd, const iovec* vectors, int count);
  ssize_t Recv(int fd, void* buffer, size_t n, int flags);
  ssize_t RecvFrom(int fd, void* buffer, size_t n, int flags, sockaddr* from,
                   socklen_t* from_length);
  ssize_t RecvMsg(int fd, msghdr* message, int flags);
  ssize_t Write(int fd, const void* buffer, size_t n);
  ssize_t Writev(int fd, const iovec* vectors, int count);
  ssize_t Send(int fd, const void* buffer, size_t n, int flags);
  ssize_t SendTo(int fd, const void* buffer, size_t n, int flags,
                 const sockaddr* to, socklen_t to_length);
  ssize_t SendMsg(int fd, const msghdr* message, int flags);

  // ---- Settings
  int GetSockOpt(int fd, int level, int name, void* value, socklen_t* length);
  int SetSockOpt(int fd, int level, int name, const void* value,
                 socklen_t length);
  // F_GETFL, F_SETFL, F_GETFD, F_SETFD.
  // NOLINTNEXTLINE(google-runtime-int): as POSIX has it
  int Fcntl(int fd, int command, long argument);
  // FIONREAD (SIOCINQ), SIOCOUTQ, SIOCOUTQNSD, FIONBIO.
  // NOLINTNEXTLINE(google-runtime-int): as POSIX has it
  int Ioctl(int fd, unsigned long request, void* argument);

  // ---- Waiting for several. Descriptors that are not ours are POLLNVAL.
  int Poll(pollfd* fds, nfds_t count, int timeout_ms);
  int EpollCreate(int flags);
  int EpollCtl(int epoll, int operation, int fd, epoll_event* event);
  int EpollWait(int epoll, epoll_event* events, int room, int timeout_ms);

  // ---- Application
  void OnConnections(std::span<dataplane::ReadyConnection> ready,
                     Time now) override;
  void OnDatagrams(std::span<dataplane::Datagram> datagrams, Time now) override;
  void OnDatagramError(const dataplane::DatagramError& error) override;

 private:
  using TcpPointer = std::shared_ptr<TcpSocket>;

  // What a receiving call reports besides bytes.
  struct Origin {
    Endpoint from;
    bool known = false;
    int flags = 0;  // msg_flags
  };

  dataplane::TcpLayer& tcp() { return pipeline_.tcp(); }
  Time now() const { return pipeline_.core().now; }

  // ---- files.cc
  std::shared_ptr<File> Find(int fd) const;
  // Null with `error` set if there is no such descriptor or it is no socket.
  std::shared_ptr<SocketFile> FindSocket(int fd, int& error) const;
  TcpPointer FindTcp(int fd, int& error) const;
  bool Adopt(const std::shared_ptr<File>& file);  // gives it a handle
  int Open(const std::shared_ptr<File>& file);    // gives it a descriptor
  void Forget(File& file);                        // takes both
  std::shared_ptr<File> ByHandle(uint32_t handle) const;
  uint32_t Queued(const SocketFile& socket, uint64_t request) const;

  // ---- tcp_open.cc; these return 0, a result, or -errno
  int BindTcp(TcpSocket& s, const Endpoint& to);
  bool PortTaken(const TcpSocket& s, const Endpoint& local) const;
  int AutoBind(TcpSocket& s);
  void Unbind(TcpSocket& s);
  int ConnectTcp(const TcpPointer& s, const Endpoint& to);
  int StartConnect(const TcpPointer& s, const Endpoint& to);
  int FinishConnect(TcpSocket& s);
  int AcceptTcp(const TcpPointer& s, TcpPointer& child);
  int ShutdownTcp(TcpSocket& s, int how);
  void Disconnect(TcpSocket& s);
  void CloseTcp(const TcpPointer& s);
  void StopListening(TcpSocket& s);
  void Linger(TcpSocket& s);

  // ---- tcp_events.cc
  void OnChild(TcpSocket& listener, dataplane::ReadyConnection& ready);
  void OnEvents(const TcpPointer& s, uint8_t events);
  void OnSendChance(TcpSocket& s, bool time_over);
  void OnGone(TcpSocket& s);
  void OfferChild(const TcpPointer& child);
  void ReleaseOptions(TcpSocket& s);

  // ---- tcp_io.cc
  ssize_t ReceiveTcp(const TcpPointer& s, std::span<const iovec> to, int flags);
  size_t TakeBytes(TcpSocket& s, MutableByteView to, int flags, size_t peeked);
  size_t TakeVectors(TcpSocket& s, std::span<const iovec> to, size_t done,
                     int flags);
  ssize_t SendTcp(const TcpPointer& s, std::span<const iovec> from, int flags);
  uint32_t Push(TcpSocket& s, ByteView bytes, bool hold);
  bool FlushCorked(TcpSocket& s);

  // ---- udp.cc
  int BindUdp(DatagramSocket& s, const Endpoint& to);
  int ConnectUdp(DatagramSocket& s, const Endpoint& to);
  ssize_t ReceiveUdp(const std::shared_ptr<DatagramSocket>& s,
                     std::span<const iovec> to, int flags, Origin& origin);
  ssize_t SendUdp(DatagramSocket& s, std::span<const iovec> from, int flags,
                  const Endpoint* to);
  void CloseUdp(DatagramSocket& s);

  // ---- io_calls.cc
  ssize_t Receive(int fd, std::span<const iovec> to, int flags, Origin& origin);
  ssize_t Transmit(int fd, std::span<const iovec> from, int flags,
                   const sockaddr* to, socklen_t to_length);

  // ---- options.cc, tcp_options.cc
  int SetSocketOption(SocketFile& s, int name, const void* value,
                      socklen_t length);
  int GetSocketOption(SocketFile& s, int name, void* value, socklen_t& length);
  int SetTcpOption(TcpSocket& s, int name, const void* value, socklen_t length);
  int SetTcpTime(TcpSocket& s, int name, int value);
  int GetTcpOption(TcpSocket& s, int name, void* value, socklen_t& length);
  int SetIpOption(SocketFile& s, int name, const void* value, socklen_t length);
  int GetIpOption(SocketFile& s, int name, void* value, socklen_t& length);
  int SetBuffer(SocketFile& s, bool receive, int value);
  const tcp::Config& OptionsOf(const TcpSocket& s) const {
    return pipeline_.tcp().profiles()[s.profile];
  }
  int SetOptions(TcpSocket& s, const tcp::Config& options);
  // Changes options by a function; 0 or -ENOBUFS.
  template <typename Edit>
  int Change(TcpSocket& s, Edit edit) {
    tcp::Config options = OptionsOf(s);
    edit(options);
    return SetOptions(s, options);
  }
  int GetTcpInfo(const TcpSocket& s, void* value, socklen_t& length);

  // ---- poll.cc
  void Wake(const File& file, uint32_t events);
  Time After(int timeout_ms) const;
  // When a call on the socket has to give up; now if it may not wait.
  Time Deadline(const SocketFile& s, int flags, Duration timeout) const;

  // Runs turns until `done()`. 0; -EAGAIN when time is up; -EINTR; -EBADF if
  // the descriptor was closed meanwhile.
  template <typename Done>
  int Wait(const File& file, Time deadline, Done done) {
    while (!done()) {
      if (file.fd < 0) return -EBADF;
      if (now() >= deadline) return -EAGAIN;
      if (!driver_.Turn(deadline)) return -EINTR;
    }
    return 0;
  }

  dataplane::Pipeline& pipeline_;
  Driver& driver_;
  SocketStackOptions options_;
  uint16_t application_;
  uint16_t default_profile_ = dataplane::Profiles::kDefault;

  std::vector<std::shared_ptr<File>> fds_;
  std::priority_queue<int, std::vector<int>, std::greater<>> free_fds_;
  // Every file that events may come for, an unaccepted connection too. A handle
  // is a slot and how often that was given away, so that late events miss.
  struct Slot {
    std::shared_ptr<File> file;
    uint32_t generation = 0;
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::unordered_multimap<uint16_t, TcpSocket*> bound_;  // by local port
  std::unordered_map<uint32_t, DatagramSocket*> datagram_sockets_;  // by index
};

}  // namespace corelane::socket

#endif  // CORELANE_DATAPLANE_SOCKET_SOCKET_STACK_H_
