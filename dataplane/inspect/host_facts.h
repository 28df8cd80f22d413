// What `corelane doctor` knows of the host: read once, judged elsewhere.
#ifndef CORELANE_DATAPLANE_INSPECT_HOST_FACTS_H_
#define CORELANE_DATAPLANE_INSPECT_HOST_FACTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "pmd/huge_pages.h"

namespace corelane::inspect {

// A network device on the PCI bus.
struct PciNic {
  std::string address;  // "0000:03:00.0"
  std::string driver;   // "ixgbe", "vfio-pci"; empty: none
  int numa_node = -1;
  std::vector<std::string> interfaces;  // the kernel's, while it has it
};

struct HostFacts {
  bool root = false;
  uint32_t cpus = 1;
  std::vector<pmd::HugePagePool> huge_pages;
  bool tun_exists = false;     // /dev/net/tun
  bool tun_usable = false;     // ... and this user may open it
  bool iommu = false;          // there are IOMMU groups
  bool vfio_pci = false;       // the module is there
  bool vfio_no_iommu = false;  // its unsafe mode is on
  std::string governor;        // of CPU 0; empty: no frequency scaling here
  std::string isolated_cpus;   // "2-5", or empty
  bool steady_tsc = true;      // constant_tsc and nonstop_tsc
  std::string runtime_folder;  // where instances keep their sockets
  bool runtime_writable = false;
  std::vector<PciNic> nics;
};

// Reads /proc, /sys and /dev. What cannot be read counts as not there. `root`
// is put in front of the paths, for tests.
HostFacts ReadHostFacts(const std::string& root = "");

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_HOST_FACTS_H_
