// How an application runs on the stack: it is called once per turn of the loop
// with everything that happened to its sockets.
#ifndef CORELANE_DATAPLANE_API_APPLICATION_H_
#define CORELANE_DATAPLANE_API_APPLICATION_H_

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/api/connection.h"
#include "dataplane/api/udp_socket.h"
#include "proto/base/time.h"

namespace corelane::dataplane {

// What happened to a connection since the application was last told, as bits.
enum ConnectionEvent : uint8_t {
  kOpened = 1,      // accepted, or our Connect succeeded
  kReadable = 2,    // new bytes to read
  kWritable = 4,    // there is send space again, after a Send took less
  kPeerClosed = 8,  // the peer's stream ends after what is readable
  kTimer = 16,      // the timer set with SetTimer went off
  // The connection broke (reset, refused, timed out: see error()). The handle
  // is invalid after the callback; Close must not be called.
  kGone = 32,
};

struct ReadyConnection {
  Connection connection;
  uint8_t events;
};

// One instance per core and role; called by that core's loop only, never
// concurrently. A callback may use every function of Connection and UdpSocket.
//
// Unless it was told kGone, an application ends each of its connections with
// exactly one Close or Abort.
class Application {
 public:
  virtual ~Application() = default;

  // `ready` lists each connection once. Called once per burst.
  virtual void OnConnections(std::span<ReadyConnection> ready, Time now) = 0;

  // A connection is about to go to another core, since somebody asked for it
  // (Connection::MoveTo) or the load is being evened out. Returns whether it
  // may: then the application here has nothing to do with it any more. What it
  // kept of it besides app_data goes into `luggage`, which begins empty.
  // Without this function connections stay where they are.
  virtual bool OnLeave(Connection connection, std::vector<uint8_t>& luggage) {
    (void)connection;
    (void)luggage;
    return false;
  }
  // ... and has arrived at this one's core. app_data is what it was; events
  // that were not told there are told here.
  virtual void OnArrive(Connection connection,
                        std::span<const uint8_t> luggage) {
    (void)connection;
    (void)luggage;
  }
  // ... or found no room there and was reset, or arrived when the stack was
  // stopping: in place of OnArrive.
  virtual void OnLost(uint32_t app_data, std::span<const uint8_t> luggage) {
    (void)app_data;
    (void)luggage;
  }

  // Datagrams that arrived on sockets bound for this application. Those that
  // the callback did not take are freed afterwards.
  virtual void OnDatagrams(std::span<Datagram> datagrams, Time now) {
    (void)datagrams;
    (void)now;
  }

  // Called in every turn, after the others, of an application that was given to
  // Pipeline::AddTicker. Returns when it wants to be called at the latest.
  virtual Time OnTurn(Time now) {
    (void)now;
    return kTimeNever;
  }

  // An ICMP error came back for a datagram that this application sent.
  virtual void OnDatagramError(const DatagramError& error) { (void)error; }
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_API_APPLICATION_H_
