#include "dataplane/inspect/netstat_format.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace corelane::inspect {
namespace {

// The columns of net-tools' netstat.
constexpr char kHead[] =
    "Proto Recv-Q Send-Q Local Address           Foreign Address         State";
std::string WideHead() {
  // "State" ends where a row's state has twelve columns behind its start.
  return absl::StrFormat(
      "%17s %10s %10s %10s %10s %10s %10s %9s %9s %7s %9s %9s", "snd_una",
      "snd_nxt", "snd_wnd", "rcv_nxt", "rcv_wnd", "cwnd", "ssthresh", "srtt",
      "rto", "retrans", "unacked", "age");
}

std::string Millis(uint32_t us) {
  return absl::StrFormat("%u.%03ums", us / 1000, us % 1000);
}

std::string Age(uint64_t ms) {
  const uint64_t s = ms / 1000;
  if (s < 100) return absl::StrFormat("%u.%us", s, ms % 1000 / 100);
  if (s < 6000) return absl::StrFormat("%um%02us", s / 60, s % 60);
  return absl::StrFormat("%uh%02um", s / 3600, s / 60 % 60);
}

std::string WideColumns(const SocketRow& row) {
  if (!row.control.has_value()) return "";
  const ControlInfo& c = *row.control;
  // What the loss recovery starts with stands for "no limit yet".
  const std::string ssthresh = c.ssthresh >= 0x3fffffff || c.ssthresh == 0
                                   ? "-"
                                   : absl::StrCat(c.ssthresh);
  return absl::StrFormat(
      "%10u %10u %10u %10u %10u %10u %10s %9s %9s %7u %9s %9s", c.snd_una,
      c.snd_nxt, c.snd_wnd, c.rcv_nxt, c.rcv_wnd, c.cwnd, ssthresh,
      c.srtt_us == 0 ? "-" : Millis(c.srtt_us),
      c.rto_us == 0 ? "-" : Millis(c.rto_us), c.retransmissions,
      c.unacked_ms == 0 ? "-" : Age(c.unacked_ms), Age(c.age_ms));
}

}  // namespace

bool Shown(const SocketRow& row, const NetstatOptions& options) {
  const bool either = options.tcp || options.udp;
  if (either && !(row.tcp ? options.tcp : options.udp)) return false;
  return !options.listening || options.all || row.server;
}

std::string NetstatHead(const NetstatOptions& options) {
  return absl::StrCat("Active Internet connections (",
                      options.listening && !options.all
                          ? "only servers"
                          : "servers and established",
                      ")\n", kHead, options.wide ? WideHead() : "", "\n");
}

std::string NetstatLine(const SocketRow& row, const NetstatOptions& options) {
  std::string line = absl::StrFormat(
      "%-5s %6u %6u %-23s %-23s %-11s", row.tcp ? "tcp" : "udp", row.recv_q,
      row.send_q, row.local, row.foreign, row.state);
  if (options.wide) absl::StrAppend(&line, " ", WideColumns(row));
  line.erase(line.find_last_not_of(' ') + 1);
  line += '\n';
  return line;
}

std::string FormatNetstat(std::span<const SocketRow> rows,
                          const NetstatOptions& options) {
  std::string text = NetstatHead(options);
  for (const SocketRow& row : rows) {
    if (Shown(row, options)) text += NetstatLine(row, options);
  }
  return text;
}

}  // namespace corelane::inspect
