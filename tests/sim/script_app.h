// The application behind a script: does what the script says, when it says so.
#ifndef CORELANE_TESTS_SIM_SCRIPT_APP_H_
#define CORELANE_TESTS_SIM_SCRIPT_APP_H_

#include <cstdint>
#include <string>

#include "dataplane/api/application.h"
#include "tests/sim/node.h"

namespace corelane::sim {

// The byte at an offset of a scripted stream, either way.
constexpr uint8_t ScriptByte(uint32_t offset) {
  return static_cast<uint8_t>(offset * 7 + 1);
}

class ScriptApp final : public SimApplication {
 public:
  // Sends back what it reads, and closes when the peer does.
  void set_echo(bool echo) { echo_ = echo; }
  void set_connection(dataplane::Connection c) { connection_ = c; }
  dataplane::Connection connection() const { return connection_; }

  void OnConnections(std::span<dataplane::ReadyConnection> ready,
                     Time now) override;
  void OnDatagrams(std::span<dataplane::Datagram> datagrams, Time now) override;
  void OnDatagramError(const dataplane::DatagramError& error) override;

  // Queues so many bytes of the stream; returns how many were taken.
  uint32_t Send(uint32_t n);
  // Reads so many bytes; false if there are fewer, or they are wrong.
  bool Read(uint32_t n);

  // Everything that it was told since the last call: "opened readable".
  std::string TakeEvents();
  bool gone() const { return gone_; }
  tcp::Error error() const { return error_; }
  uint32_t datagrams() const { return datagrams_; }
  uint32_t datagram_errors() const { return datagram_errors_; }

 private:
  void Echo(dataplane::Connection c);

  dataplane::Connection connection_;
  bool echo_ = false;
  bool gone_ = false;
  tcp::Error error_ = tcp::Error::kNone;
  uint8_t events_ = 0;
  uint32_t sent_ = 0;
  uint32_t received_ = 0;
  uint32_t datagrams_ = 0;
  uint32_t datagram_errors_ = 0;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCRIPT_APP_H_
