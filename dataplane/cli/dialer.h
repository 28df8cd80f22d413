// Says what becomes of the connections that --connect opens.
#ifndef CORELANE_DATAPLANE_CLI_DIALER_H_
#define CORELANE_DATAPLANE_CLI_DIALER_H_

#include <span>

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
