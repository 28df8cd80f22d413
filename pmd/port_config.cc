#include "pmd/port_config.h"

#include "absl/strings/str_cat.h"

namespace corelane::pmd {

std::string ToString(const PortCaps& caps) {
  return absl::StrCat("port ", caps.port_id, " ", caps.name, " ",
                      caps.label.empty() ? "" : absl::StrCat(caps.label, " "),
                      corelane::ToString(caps.mac), " mtu ", caps.mtu, ", ",
                      caps.queues, caps.queues == 1 ? " queue" : " queues",
                      caps.rx_interrupt ? ", wakes on packets" : "", ": ",
                      ToString(caps.offloads));
}

}  // namespace corelane::pmd
