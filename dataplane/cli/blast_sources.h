// `corelane blast --sources`: many clients, each with an address of its own.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_SOURCES_H_
#define CORELANE_DATAPLANE_CLI_BLAST_SOURCES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/runtime/options.h"
#include "proto/base/address.h"

namespace corelane::cli {

// "10.77.16.0/20" each.
absl::StatusOr<std::vector<Ipv4Prefix>> ParseSources(
    const std::vector<std::string>& texts);

// Makes the ranges ours: on the link whose --addr's network they are in, else
// on the first --addr's, for a router that sends them there.
absl::Status PlaceSources(const std::vector<Ipv4Prefix>& ranges,
                          Ipv4Address target, runtime::RuntimeOptions& options);

// The addresses to ask from: those of the ranges, without their first and last
// ones and those that no host may have, or without ranges every --addr; empty
// if that is only one.
std::vector<Ipv4Address> SourcesOf(const runtime::RuntimeOptions& options);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_SOURCES_H_
