// DPDK's environment layer, started from typed options and cleaned up after.
#ifndef CORELANE_PMD_EAL_H_
#define CORELANE_PMD_EAL_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "pmd/eal_options.h"
#include "pmd/huge_pages.h"
#include "pmd/instance.h"

namespace corelane::pmd {

// The running EAL. One per process, ever: DPDK cannot be started twice.
// Declare it before everything that uses DPDK, so that it is destroyed last.
class Eal {
 public:
  // Checks what can be checked (instance name, another live instance, each
  // device, huge pages), then starts DPDK. Takes about 0.2 s. The calling
  // thread becomes the main lcore. Errors are one line with the remedy; where
  // DPDK itself failed, its own last words are part of it.
  static absl::StatusOr<Eal> Start(const EalOptions& options);

  // Stops DPDK and removes the files that it leaves behind.
  ~Eal() { Stop(); }
  Eal(Eal&& other) noexcept { *this = std::move(other); }
  Eal& operator=(Eal&& other) noexcept;
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  // The command line DPDK got, for --verbose and `doctor`.
  const std::vector<std::string>& arguments() const { return arguments_; }
  bool uses_huge_pages() const { return pages_.use; }
  // One line worth telling the user, or empty.
  const std::string& notice() const { return pages_.notice; }
  const std::string& file_prefix() const { return prefix_; }
  std::string telemetry_socket() const { return TelemetrySocketPath(prefix_); }

 private:
  Eal() = default;
  void Stop();

  bool running_ = false;
  std::string prefix_;
  std::vector<std::string> arguments_;
  HugePageDecision pages_;
};

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_EAL_H_
