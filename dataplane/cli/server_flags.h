// The flags that all servers have in common.
#ifndef CORELANE_DATAPLANE_CLI_SERVER_FLAGS_H_
#define CORELANE_DATAPLANE_CLI_SERVER_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/api/udp_socket.h"
#include "dataplane/cli/command_line.h"
#include "dataplane/runtime/options.h"
#include "proto/base/address.h"

namespace corelane::cli {

// Understood flags.
struct ServerOptions {
  runtime::RuntimeOptions runtime;
  Ipv4Address listen;  // 0.0.0.0: every address of ours
  uint16_t port = 0;
  uint16_t metrics_port = 0;  // 0: no metrics
  // Connections to open at start, besides listening.
  std::vector<dataplane::UdpEndpoint> connect;
};

class ServerFlags {
 public:
  // A client has no flags for listening.
  enum class Role : uint8_t { kServer, kClient };

  // `example` is a command that works, `default_port` where the service lives.
  ServerFlags(CommandLine& line, uint16_t default_port,
              const std::string& example, Role role = Role::kServer);
  ServerFlags(const ServerFlags&) = delete;
  ServerFlags& operator=(const ServerFlags&) = delete;

  // What --addr is taken to be if none is given; before Understand.
  void SetDefaultAddress(const std::string& text) { default_address_ = text; }

  // Whether there must be an --addr; before Understand.
  void SetAddressNeeded(bool needed) { address_needed_ = needed; }

  // After CommandLine::Parse. `raw_eal_args` is what followed "--".
  absl::StatusOr<ServerOptions> Understand(
      const std::vector<std::string>& raw_eal_args) const;

 private:
  void AddListening(CommandLine& line);
  absl::Status UnderstandNetwork(ServerOptions& options) const;
  absl::Status UnderstandLimits(runtime::RuntimeOptions& options) const;
  absl::Status UnderstandTcp(tcp::Config& config) const;

  uint16_t default_port_;
  std::string default_address_;
  bool address_needed_ = true;
  std::vector<std::string> devices_;
  std::vector<std::string> addresses_;
  std::vector<std::string> routes_;
  std::vector<std::string> connect_;
  std::vector<std::string> gateways_;
  bool weak_host_ = false;
  bool rebalance_ = false;
  std::optional<std::string> name_;
  std::optional<std::string> port_;
  std::optional<std::string> listen_;
  std::optional<std::string> metrics_port_;
  std::optional<std::string> max_connections_;
  std::optional<std::string> idle_;
  std::optional<std::string> mtu_;
  std::optional<std::string> congestion_;
  std::optional<std::string> send_buffer_;
  std::optional<std::string> receive_buffer_;
  std::optional<std::string> huge_;
  std::optional<std::string> memory_;
  std::optional<std::string> cores_;
  std::optional<std::string> grace_;
  bool quiet_ = false;
  bool verbose_ = false;
};

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_SERVER_FLAGS_H_
