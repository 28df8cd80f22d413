// Says what becomes of the connections that --connect opens.
#ifndef CORELANE_DATAPLANE_CLI_DIALER_H_
#define CORELANE_DATAPLANE_CLI_DIALER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/api/application.h"

namespace corelane::cli {

// Stands in front of an application: passes everything on, and logs when a
// connection that we opened ourselves comes up or does not.
class Dialer final : public dataplane::Application {
 public:
  // `application` outlives this.
  explicit Dialer(dataplane::Application* application)
      : application_(*application) {}

  void OnConnections(std::span<dataplane::ReadyConnection> ready,
                     Time now) override;
  bool OnLeave(dataplane::Connection connection,
               std::vector<uint8_t>& luggage) override {
    return application_.OnLeave(connection, luggage);
  }
  void OnArrive(dataplane::Connection connection,
                std::span<const uint8_t> luggage) override {
    application_.OnArrive(connection, luggage);
  }
  void OnLost(uint32_t app_data, std::span<const uint8_t> luggage) override {
    application_.OnLost(app_data, luggage);
  }
  void OnDatagrams(std::span<dataplane::Datagram> datagrams,
                   Time now) override {
    application_.OnDatagrams(datagrams, now);
  }
  void OnDatagramError(const dataplane::DatagramError& error) override {
    application_.OnDatagramError(error);
  }

 private:
  dataplane::Application& application_;
};

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_DIALER_H_
