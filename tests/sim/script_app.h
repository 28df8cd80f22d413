// The application behind a script: does what the script says, when it says so.
#ifndef CORELANE_TESTS_SIM_SCRIPT_APP_H_
#define CORELANE_TESTS_SIM_SCRIPT_APP_H_

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "dataplane/api/application.h"
#include "tests/sim/node.h"

namespace corelane::sim {

// The byte at an offset of a scripted stream, either way.
constexpr uint8_t ScriptByte(uint32_t offset) {
  return static_cast<uint8_t>(offset * 7 + 1);
}

// How a script tells its connections apart.
struct FlowName {
  uint32_t peer_address = 0;
  uint16_t peer_port = 0;
  uint16_t our_port = 0;
  friend auto operator<=>(const FlowName&, const FlowName&) = default;
};

class ScriptApp final : public SimApplication {
 public:
  // What is done with data, without being told each time.
  enum class Reading : uint8_t {
    kWhenTold,
    kEcho,  // sends back what it reads, and closes when the peer does
    kSink,  // reads everything at once
  };

  // One connection, as the application knows it.
  struct Stream {
    dataplane::Connection connection;
    bool open = false;  // the handle is good
    bool gone = false;
    tcp::Error error = tcp::Error::kNone;
    uint8_t events = 0;
    uint32_t sent = 0;
    uint32_t received = 0;
  };

  void set_reading(Reading reading) { reading_ = reading; }
  Stream& stream(const FlowName& name) { return streams_[name]; }

  void OnConnections(std::span<dataplane::ReadyConnection> ready,
                     Time now) override;
  void OnDatagrams(std::span<dataplane::Datagram> datagrams, Time now) override;
  void OnDatagramError(const dataplane::DatagramError& error) override;

  // Queues so many bytes of the stream; returns how many were taken.
  static uint32_t Send(Stream& stream, uint32_t n);
  // Reads so many bytes; false if there are fewer, or they are wrong.
  static bool Read(Stream& stream, uint32_t n);
  // Everything that it was told since the last call: "opened readable".
  static std::string TakeEvents(Stream& stream);

  uint32_t datagrams() const { return datagrams_; }
  uint32_t datagram_errors() const { return datagram_errors_; }

 private:
  static void Echo(dataplane::Connection c);

  std::map<FlowName, Stream> streams_;
  Reading reading_ = Reading::kWhenTold;
  uint32_t datagrams_ = 0;
  uint32_t datagram_errors_ = 0;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCRIPT_APP_H_
