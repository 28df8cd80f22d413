// `corelane blast dns`: the list of queries.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_DNS_H_
#define CORELANE_DATAPLANE_CLI_BLAST_DNS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/load/dns_load.h"

namespace corelane::cli {

// A query per line: name, type, and perhaps what the answer has to have (an
// address, a name, or an rcode like NXDOMAIN). Blank lines, and what follows a
// # or a ;, are left out. Errors name `path` and the line.
absl::StatusOr<std::vector<dataplane::DnsQuery>> ParseDnsQueries(
    const std::string& path, const std::string& text);

// The same of a file.
absl::StatusOr<std::vector<dataplane::DnsQuery>> ReadDnsQueries(
    const std::string& path);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_DNS_H_
