// What `corelane blast` is asked to do.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_FLAGS_H_
#define CORELANE_DATAPLANE_CLI_BLAST_FLAGS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/cli/blast_objective.h"
#include "dataplane/cli/command_line.h"
#include "dataplane/cli/replay_file.h"
#include "dataplane/load/bulk_load.h"
#include "dataplane/load/dns_load.h"
#include "dataplane/load/hold_load.h"
#include "dataplane/load/packet_load.h"
#include "dataplane/load/rate_search.h"
#include "dataplane/load/replay_load.h"
#include "dataplane/load/tcp_load.h"
#include "dataplane/load/udp_load.h"

namespace corelane::cli {

inline constexpr std::array<absl::string_view, 9> kBlastModes = {
    "echo", "http", "udp", "dns", "send", "receive", "hold", "pps", "replay"};
inline constexpr uint32_t kMaxConcurrency = 1u << 26;
inline constexpr uint32_t kMaxEcho = 1u << 16;

// The --rate of an open loop.
absl::Status TakeRate(const std::optional<std::string>& text,
                      dataplane::LoadConfig& load);

std::string RatesText(const dataplane::LoadConfig& load);

// What echo is asked with.
std::string EchoPattern(size_t size);

struct BlastPlan {
  std::string what;  // one of kBlastModes
  dataplane::TcpLoadConfig tcp;
  dataplane::UdpLoadConfig udp;  // its `load` counts in any case
  dataplane::BulkLoadConfig bulk;
  dataplane::DnsLoadConfig dns;
  dataplane::HoldLoadConfig hold;
  dataplane::PacketLoadConfig packets;
  std::optional<dataplane::RateSearchConfig> search;
  dataplane::ReplayLoadConfig replay;
  std::string replay_path;
  bool skip_unfit = false;
  ReplayFile replay_file;  // from LoadReplay on
  // echo, http and hold: by a client that remembers nothing, with tcp's request
  // or hold's numbers.
  bool stateless = false;
  std::vector<Ipv4Prefix> sources;  // empty: --addr
  std::vector<Objective> objectives;
  std::string json;  // files to write; empty: none
  std::string hgrm;
  std::string plot;
  std::string command;  // as it was typed, for the plot

  std::string Describe() const;
  // What was meant to be asked per second so long after counting began; 0 if
  // there was no rate.
  double RateAt(Duration after) const;
  bool IsBulk() const { return what == "send" || what == "receive"; }
  // Whether it opens connections.
  bool IsTcp() const {
    return what != "udp" && what != "dns" && what != "pps" && what != "replay";
  }
};

class BlastFlags {
 public:
  explicit BlastFlags(CommandLine& line);
  BlastFlags(const BlastFlags&) = delete;
  BlastFlags& operator=(const BlastFlags&) = delete;

  // After CommandLine::Parse.
  absl::StatusOr<BlastPlan> Understand();

 private:
  // What was given that does not go with it.
  absl::Status RefuseForeign(const std::string& what) const;
  absl::Status UnderstandLoad(dataplane::LoadConfig& load) const;
  absl::Status UnderstandRequest(BlastPlan& plan) const;
  // Target, times and concurrency, over what they are by default.
  absl::Status UnderstandCommon(dataplane::LoadConfig& load) const;
  // blast_bulk.cc
  void AddBulk(CommandLine& line);
  absl::Status UnderstandBulk(BlastPlan& plan) const;
  // blast_dns.cc
  absl::Status UnderstandDns(BlastPlan& plan) const;
  // blast_hold.cc
  void AddHold(CommandLine& line);
  absl::Status UnderstandHold(BlastPlan& plan) const;
  // blast_stateless.cc
  void AddStateless(CommandLine& line);
  absl::Status CheckStatelessFlags() const;
  // blast_packets.cc
  void AddPackets(CommandLine& line);
  absl::Status UnderstandPackets(BlastPlan& plan) const;
  absl::Status UnderstandMode(BlastPlan& plan) const;
  // blast_replay.cc
  void AddReplay(CommandLine& line);
  absl::Status UnderstandReplay(BlastPlan& plan) const;

  std::vector<std::string> what_;
  std::optional<std::string> target_;
  std::optional<std::string> rate_;
  bool closed_ = false;
  bool poisson_ = false;
  std::optional<std::string> concurrency_;
  std::optional<std::string> open_rate_;
  bool once_ = false;
  std::optional<std::string> size_;
  std::optional<std::string> path_;
  std::optional<std::string> host_;
  std::optional<std::string> status_;
  std::optional<std::string> sockets_;
  std::optional<std::string> duration_;
  std::optional<std::string> warmup_;
  std::optional<std::string> timeout_;
  std::optional<std::string> slo_;
  std::optional<std::string> json_;
  std::optional<std::string> hgrm_;
  std::optional<std::string> plot_;
  bool any_bytes_ = false;
  std::optional<std::string> queries_;
  std::optional<std::string> connections_;
  std::optional<std::string> active_;
  std::vector<std::string> sources_;
  bool stateless_ = false;
  std::optional<std::string> flows_;
  std::optional<std::string> target_mac_;
  std::optional<std::string> loss_;
  bool send_only_ = false;
  bool receive_only_ = false;
  bool reflect_ = false;
  bool find_max_rate_ = false;
  std::string file_;  // to replay
  std::optional<std::string> speed_;
  std::optional<std::string> loop_;
  bool skip_unfit_ = false;
};

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_FLAGS_H_
