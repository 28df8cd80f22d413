// The small services of old: echo (RFC 862), discard (RFC 863) and chargen
// (RFC 864), over TCP and UDP.
#ifndef CORELANE_DATAPLANE_APP_ECHO_H_
#define CORELANE_DATAPLANE_APP_ECHO_H_

#include <span>
#include <vector>

#include "dataplane/api/application.h"
#include "dataplane/app/chargen_text.h"

namespace corelane::dataplane {

// Sends back what it receives, without copying: the received packet becomes the
// sent one.
class EchoApp final : public Application {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time now) override;
  void OnDatagrams(std::span<Datagram> datagrams, Time now) override;
  bool OnLeave(Connection /*connection*/,
               std::vector<uint8_t>& /*luggage*/) override {
    return true;
  }
};

// Reads everything and says nothing.
class DiscardApp final : public Application {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time now) override;
  bool OnLeave(Connection /*connection*/,
               std::vector<uint8_t>& /*luggage*/) override {
    return true;
  }
};

// Sends lines of printable characters for as long as the peer takes them.
class ChargenApp final : public Application {
 public:
  ChargenApp();
  void OnConnections(std::span<ReadyConnection> ready, Time now) override;
  void OnDatagrams(std::span<Datagram> datagrams, Time now) override;
  // Where it is in the text is all that there is to a connection (app_data).
  bool OnLeave(Connection /*connection*/,
               std::vector<uint8_t>& /*luggage*/) override {
    return true;
  }

 private:
  uint8_t text_[kChargenPeriod];
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_APP_ECHO_H_
