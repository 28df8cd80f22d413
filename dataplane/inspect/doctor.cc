#include "dataplane/inspect/doctor.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace corelane::inspect {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Finding::Kind;
using Findings = std::vector<Finding>;

void ExamineTun(const HostFacts& f, Findings& out) {
  if (f.tun_usable) return;
  out.push_back(
      {Kind::kProblem, "/dev/net/tun",
       f.tun_exists ? "this user may not open it" : "it does not exist",
       "--dev tap, the default device, cannot be made",
       f.tun_exists ? "run corelane as root, or: chmod 666 /dev/net/tun"
                    : "modprobe tun; mkdir -p /dev/net && mknod /dev/net/tun "
                      "c 10 200"});
}

void ExaminePermissions(const HostFacts& f, Findings& out) {
  if (!f.root) {
    out.push_back({Kind::kAdvice, "permissions", "this user is not root",
                   "tap, af_packet, af_xdp and NICs need rights that only root "
                   "has by default; memif, null and ring do not",
                   "sudo corelane ..."});
  }
  if (!f.runtime_writable) {
    out.push_back({Kind::kProblem, "permissions",
                   absl::StrCat("nothing can be created in ", f.runtime_folder),
                   "no instance can start",
                   "run as root, or: export XDG_RUNTIME_DIR=/tmp"});
  }
}

void ExamineHugePages(const HostFacts& f, Findings& out) {
  bool reserved = false;
  bool mounted = false;
  for (const pmd::HugePagePool& pool : f.huge_pages) {
    if (pool.free_pages == 0) continue;
    reserved = true;
    if (!pool.mount.empty()) mounted = true;
  }
  if (mounted) return;
  out.push_back(
      {Kind::kAdvice, "huge pages",
       reserved ? "there are some, but no hugetlbfs is mounted"
                : "none are free",
       "packet memory on ordinary pages: TLB misses, and no physical NIC",
       absl::StrCat(reserved ? ""
                             : "echo 256 > /sys/kernel/mm/hugepages/"
                               "hugepages-2048kB/nr_hugepages && ",
                    "mkdir -p /dev/hugepages && mount -t hugetlbfs none "
                    "/dev/hugepages")});
}

void ExamineCpus(const HostFacts& f, Findings& out) {
  if (!f.governor.empty() && f.governor != "performance") {
    out.push_back({Kind::kAdvice, "CPU frequency",
                   absl::StrCat("the governor is ", f.governor),
                   "a core that slept wakes slowly: latency of the first "
                   "packets",
                   "cpupower frequency-set -g performance"});
  }
  if (f.cpus > 1 && f.isolated_cpus.empty()) {
    out.push_back({Kind::kAdvice, "isolated CPUs", "there are none",
                   "the kernel runs other threads on a spinning core: pauses "
                   "under load",
                   absl::StrCat("boot with isolcpus=", f.cpus - 1,
                                " nohz_full=", f.cpus - 1,
                                ", then: corelane ... --cores ", f.cpus - 1)});
  }
  if (!f.steady_tsc) {
    out.push_back({Kind::kAdvice, "clock",
                   "the CPU's time stamp counter changes its pace or stops",
                   "timers are late or early",
                   "switch deep C-states off: boot with intel_idle.max_cstate=1"
                   " or processor.max_cstate=1"});
  }
}

void ExamineNics(const HostFacts& f, Findings& out) {
  if (f.nics.empty()) return;
  const bool bound =
      std::any_of(f.nics.begin(), f.nics.end(),
                  [](const PciNic& n) { return n.driver == "vfio-pci"; });
  if (bound && !f.iommu && !f.vfio_no_iommu) {
    out.push_back({Kind::kProblem, "IOMMU", "it is off",
                   "vfio-pci gives no NIC away",
                   "boot with intel_iommu=on or amd_iommu=on; or, without "
                   "protection: echo 1 > /sys/module/vfio/parameters/"
                   "enable_unsafe_noiommu_mode"});
  }
  if (bound) return;
  const PciNic& nic = f.nics[0];
  out.push_back(
      {Kind::kAdvice, "NIC",
       absl::StrCat(nic.address, " (",
                    nic.interfaces.empty() ? "no interface" : nic.interfaces[0],
                    ") is the kernel's, driver ",
                    nic.driver.empty() ? "none" : nic.driver),
       "af_packet and tap go through the kernel: a system call and a copy per "
       "packet or burst",
       absl::StrCat(
           f.vfio_pci ? "" : "modprobe vfio-pci; ",
           "if you can do without it: dpdk-devbind.py --bind=vfio-pci ",
           nic.address, "; corelane ... --dev pci,", nic.address)});
}

uint64_t Get(const Json& object, const char* name) {
  return object.value(name, uint64_t{0});
}

std::string Percent(uint64_t part, uint64_t whole) {
  return absl::StrCat(whole == 0 ? 0 : (100 * part + whole / 2) / whole, " %");
}

void ExamineMemory(const Json& stats, Findings& out) {
  const Json& r = stats.at("resources");
  const uint64_t lost = Get(stats.at("counters"), "tx_dropped_no_packet") +
                        Get(stats.at("drops"), "no_packet");
  if (Get(r, "low_memory") != 0 || lost > 0) {
    out.push_back({Kind::kProblem, "packet memory",
                   absl::StrCat(Get(r, "free_packets"), " packets are free; ",
                                lost, " were lost for want of one"),
                   "windows close and packets are dropped",
                   "start with more: --memory 512 (MiB)"});
  }
  const uint64_t used = Get(r, "connections");
  const uint64_t most = Get(r, "max_connections");
  if (most > 0 && used * 10 >= most * 9) {
    out.push_back({Kind::kProblem, "connections",
                   absl::StrCat(used, " of ", most, " are in use"),
                   "new clients are refused when all are",
                   absl::StrCat("start with --max-connections ", 2 * most)});
  }
  const uint64_t cookies = Get(stats.at("tcp"), "syn_cookies_sent");
  if (cookies > 0) {
    out.push_back(
        {Kind::kAdvice, "SYN cookies",
         absl::StrCat(cookies, " SYNs were answered without a record"),
         "a flood, or a rush of clients: their SYN-ACKs are not sent "
         "again when lost",
         absl::StrCat("start with --max-connections ", 2 * most,
                      " (records are a quarter of it)")});
  }
}

void ExamineTcp(const Json& stats, Findings& out) {
  const Json& tcp = stats.at("tcp");
  const uint64_t sent = Get(tcp, "segments_out");
  const uint64_t again = Get(tcp, "retransmits");
  if (sent > 1000 && again * 100 > sent) {
    out.push_back({Kind::kProblem, "retransmissions",
                   absl::StrCat(again, " of ", sent, " segments (",
                                Percent(again, sent), ")"),
                   "goodput falls with the square root of the loss",
                   "find whose: corelane netstat --top 20 by=retrans; look at "
                   "the path, MTU and duplex of the link"});
  }
  const uint64_t received = Get(tcp, "segments_in");
  const uint64_t delayed = Get(tcp, "delayed_acks");
  if (received > 1000 && delayed * 3 > received) {
    out.push_back(
        {Kind::kAdvice, "delayed ACKs",
         absl::StrCat(delayed, " ACKs waited for ", received, " segments"),
         "a peer that waits for each ACK (Nagle's algorithm, a small "
         "window) stalls until the delay is over",
         "have the peer set TCP_NODELAY, or write in one piece"});
  }
}

void ExamineBusiest(const Json& busiest, Findings& out) {
  uint64_t window = 0;
  uint64_t application = 0;
  uint64_t established = 0;
  for (const Json& row : busiest) {
    if (row.value("state", "") != "ESTABLISHED") continue;
    ++established;
    const uint64_t flight =
        static_cast<uint32_t>(Get(row, "snd_nxt") - Get(row, "snd_una"));
    const uint64_t wnd = Get(row, "snd_wnd");
    const uint64_t queued = Get(row, "send_q");
    if (queued > flight && flight + Get(row, "mss") > wnd) ++window;
    if (queued == 0) ++application;
  }
  if (window > 0) {
    out.push_back({Kind::kAdvice, "peers' windows",
                   absl::StrCat(window, " of the ", established,
                                " busiest connections wait for the peer to "
                                "open its window"),
                   "they send no faster than the peer reads",
                   "on a Linux peer: sysctl -w net.ipv4.tcp_rmem=\"4096 131072 "
                   "16777216\"; or its application is slow"});
  }
  if (established >= 10 && application == established) {
    out.push_back({Kind::kAdvice, "application",
                   absl::StrCat("none of the ", established,
                                " busiest connections has anything queued"),
                   "nothing: the network waits for data, not the data for the "
                   "network",
                   "nothing to do, unless more was expected"});
  }
}

void ExaminePort(const Json& port, Findings& out) {
  const std::string label = port.value("label", "");
  const std::string name = label.empty() ? port.value("name", "?") : label;
  const std::string about = absl::StrCat("device ", name);
  std::string software;
  for (const auto& [offload, got] : port.at("offloads").items()) {
    if (got.get<uint64_t>() == 0 &&
        offload.find("checksum") != std::string::npos) {
      absl::StrAppend(&software, software.empty() ? "" : " ", offload);
    }
  }
  if (!software.empty()) {
    out.push_back(
        {Kind::kAdvice, about,
         absl::StrCat("checksums in software: ", software),
         "a pass over every byte, each way",
         "choose a device whose driver does it; virtual ones do not"});
  }
  const uint64_t missed = Get(port, "rx_missed") + Get(port, "rx_no_packet");
  if (missed > 0) {
    out.push_back(
        {Kind::kProblem, about,
         absl::StrCat(missed, " of ", missed + Get(port, "rx_packets"),
                      " packets came and found no room"),
         "losses, and so retransmissions by the peers",
         "start with --idle spin, more --cores, or more --memory"});
  }
  if (port.value("link", "up") != "up") {
    out.push_back({Kind::kProblem, about, "the link is down",
                   "nothing comes in or goes out",
                   label.empty() ? "look at the cable, or at the peer process"
                                 : absl::StrCat("ip link set ", label, " up")});
  }
}

void ExamineCores(const Json& cores, const Json& counters, Findings& out) {
  uint64_t sum = 0;
  uint64_t most = 0;
  size_t busiest = 0;
  for (size_t i = 0; i < cores.size(); ++i) {
    const uint64_t packets = Get(cores[i], "rx_packets");
    sum += packets;
    if (packets > most) {
      most = packets;
      busiest = i;
    }
  }
  if (cores.size() > 1 && sum > 10000 && most * cores.size() > 2 * sum) {
    out.push_back({Kind::kAdvice, "cores",
                   absl::StrCat("core ", busiest, " got ", Percent(most, sum),
                                " of the packets"),
                   "the others idle while it is full",
                   "few clients hash unevenly: more connections even it out; "
                   "corelane top shows it live"});
  }
  uint64_t steered = 0;
  for (const auto& [name, value] : counters.items()) {
    if (name.find("steered") != std::string::npos &&
        name.find("in") == std::string::npos) {
      steered += value.get<uint64_t>();
    }
  }
  if (steered > 0 && sum > 0) {
    out.push_back(
        {Kind::kAdvice, "steering",
         absl::StrCat(steered,
                      " packets were handed to another core in "
                      "software"),
         "a second core touches each of them",
         "use a device with RSS and as many queues as cores (corelane "
         "ports)"});
  }
}

}  // namespace

Findings ExamineHost(const HostFacts& facts) {
  Findings findings;
  ExaminePermissions(facts, findings);
  ExamineTun(facts, findings);
  ExamineHugePages(facts, findings);
  ExamineNics(facts, findings);
  ExamineCpus(facts, findings);
  return findings;
}

absl::StatusOr<Findings> ExamineInstance(const Json& stats, const Json& ports,
                                         const Json& cores,
                                         const Json& busiest) {
  try {
    Findings findings;
    ExamineMemory(stats, findings);
    for (const Json& port : ports) ExaminePort(port, findings);
    ExamineCores(cores, stats.at("counters"), findings);
    ExamineTcp(stats, findings);
    ExamineBusiest(busiest, findings);
    return findings;
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(absl::StrCat(
        "the instance sent a report of another shape: ", error.what()));
  }
}

std::string FormatFindings(std::span<const Finding> findings) {
  std::string text;
  for (const Finding& f : findings) {
    absl::StrAppend(&text, f.kind == Kind::kProblem ? "PROBLEM" : "advice ",
                    "  ", f.about, ": ", f.what, "\n         costs: ", f.costs,
                    "\n         type:  ", f.remedy, "\n");
  }
  return text;
}

Json FindingsJson(std::span<const Finding> findings) {
  Json rows = Json::array();
  for (const Finding& f : findings) {
    rows.push_back({{"kind", f.kind == Kind::kProblem ? "problem" : "advice"},
                    {"about", f.about},
                    {"what", f.what},
                    {"costs", f.costs},
                    {"remedy", f.remedy}});
  }
  return rows;
}

}  // namespace corelane::inspect
