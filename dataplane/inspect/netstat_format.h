// Sockets as netstat prints them.
#ifndef CORELANE_DATAPLANE_INSPECT_NETSTAT_FORMAT_H_
#define CORELANE_DATAPLANE_INSPECT_NETSTAT_FORMAT_H_

#include <span>
#include <string>

#include "dataplane/inspect/sockets.h"

namespace corelane::inspect {

struct NetstatOptions {
  // Neither: both.
  bool tcp = false;
  bool udp = false;
  bool listening = false;  // only sockets that wait for whoever comes
  bool all = false;        // servers and established, which is the default
  bool wide = false;       // with the control information behind each socket
};

bool Shown(const SocketRow& row, const NetstatOptions& options);

// Title and head line; and the line of one socket.
std::string NetstatHead(const NetstatOptions& options);
std::string NetstatLine(const SocketRow& row, const NetstatOptions& options);

// The table, title and head line included; rows that are not Shown are left
// out.
std::string FormatNetstat(std::span<const SocketRow> rows,
                          const NetstatOptions& options);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_NETSTAT_FORMAT_H_
