#include "pmd/device_table.h"

namespace corelane::pmd {
namespace {

using enum OptionType;

constexpr OptionRow kMacRow = {"mac", "", kMac};

// For devices that have any number of queues.
constexpr OptionRow kQueuesRow = {"queues", "", kNumber, 1, 16};

// Whether large segments are left to the device to cut.
constexpr OptionRow kTsoRow = {"tso", "", kYesNo};

constexpr OptionRow kTapOptions[] = {{"iface", "iface", kInterface},
                                     {"remote", "remote", kInterface},
                                     kQueuesRow,
                                     kTsoRow,
                                     kMacRow};
constexpr OptionRow kNullOptions[] = {{"size", "size", kNumber, 60, 2048},
                                      {"copy", "copy", kNumber, 0, 1},
                                      {"no-rx", "no-rx", kNumber, 0, 1},
                                      kMacRow};
constexpr OptionRow kRingOptions[] = {kQueuesRow, kMacRow};
constexpr OptionRow kMemifOptions[] = {{"socket", "", kSocket},
                                       {"role", "role", kRole},
                                       {"id", "id", kNumber, 0, 0xffff},
                                       {"zero-copy", "zero-copy", kYesNo},
                                       {"rsize", "rsize", kNumber, 1, 14},
                                       {"bsize", "bsize", kNumber, 64, 65535},
                                       {"secret", "secret", kText},
                                       kQueuesRow,
                                       kMacRow};
constexpr OptionRow kAfPacketOptions[] = {
    {"iface", "iface", kInterface},
    {"qpairs", "qpairs", kNumber, 1, 16},
    {"blocksz", "blocksz", kNumber, 4096, 1u << 30},
    {"framesz", "framesz", kNumber, 128, 65536},
    {"framecnt", "framecnt", kNumber, 16, 1u << 20},
    {"qdisc-bypass", "qdisc_bypass", kNumber, 0, 1},
    kMacRow};
constexpr OptionRow kAfXdpOptions[] = {
    {"iface", "iface", kInterface},
    {"queue", "start_queue", kNumber, 0, 1023},
    {"queues", "queue_count", kNumber, 1, 1024},
    {"force-copy", "force_copy", kNumber, 0, 1},
    {"busy-budget", "busy_budget", kNumber, 0, 0xffff},
    kMacRow};
constexpr OptionRow kVhostOptions[] = {{"socket", "iface", kSocket},
                                       {"role", "", kRole},
                                       {"queues", "queues", kNumber, 1, 128},
                                       kMacRow};
constexpr OptionRow kVirtioUserOptions[] = {
    {"socket", "path", kSocket},
    {"role", "", kRole},
    {"queues", "queues", kNumber, 1, 128},
    {"queue-size", "queue_size", kNumber, 64, 32768},
    kMacRow};
constexpr OptionRow kPcapOptions[] = {{"rx", "rx_pcap", kFile},
                                      {"tx", "tx_pcap", kFile},
                                      {"iface", "iface", kInterface},
                                      kMacRow};

constexpr DeviceRow kTable[] = {
    {DeviceKind::kTap, "tap", "net_tap", kTapOptions,
     "tap[,iface=cl0][,queues=N][,mac=MAC][,tso=yes]: a new interface of the "
     "kernel's"},
    {DeviceKind::kAfPacket, "af_packet", "net_af_packet", kAfPacketOptions,
     "af_packet,iface=IF: shares an existing interface with the kernel"},
    {DeviceKind::kAfXdp, "af_xdp", "net_af_xdp", kAfXdpOptions,
     "af_xdp,iface=IF[,queue=N][,queues=N]: takes over an interface's queues"},
    {DeviceKind::kMemif, "memif", "net_memif", kMemifOptions,
     "memif,socket=PATH,role=server|client[,id=N][,zero-copy=yes][,queues=N]: "
     "another process, by shared memory"},
    {DeviceKind::kVhost, "vhost", "net_vhost", kVhostOptions,
     "vhost,socket=PATH[,role=server|client][,queues=N]: a virtual machine"},
    {DeviceKind::kVirtioUser, "virtio_user", "net_virtio_user",
     kVirtioUserOptions,
     "virtio_user,socket=PATH[,role=client|server][,queues=N]: the other end "
     "of a vhost"},
    {DeviceKind::kPcap, "pcap", "net_pcap", kPcapOptions,
     "pcap,rx=FILE[,tx=FILE] or pcap,iface=IF: capture files, or libpcap"},
    {DeviceKind::kPci,
     "pci",
     "",
     {},
     "pci,0000:01:00.0[,DEVARGS]: a NIC bound to vfio-pci"},
    {DeviceKind::kRing, "ring", "net_ring", kRingOptions,
     "ring[,queues=N]: a loop inside the process"},
    {DeviceKind::kNull, "null", "net_null", kNullOptions,
     "null[,size=64][,no-rx=1]: an endless source and sink"},
};

}  // namespace

std::span<const DeviceRow> DeviceTable() { return kTable; }

const DeviceRow& RowOf(DeviceKind kind) {
  for (const DeviceRow& row : kTable) {
    if (row.kind == kind) return row;
  }
  return kTable[0];
}

}  // namespace corelane::pmd
