#include "dataplane/runtime/capture_filter.h"

#include <pcap/pcap.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace corelane::runtime {

absl::StatusOr<CaptureFilter> CaptureFilter::Compile(const std::string& text) {
  if (text.empty()) return CaptureFilter(nullptr);
  pcap_t* ethernet = pcap_open_dead(DLT_EN10MB, 65535);
  if (ethernet == nullptr) {
    return absl::ResourceExhaustedError("no memory for a filter");
  }
  auto program = std::make_unique<bpf_program>();
  const int result = pcap_compile(ethernet, program.get(), text.c_str(),
                                  /*optimize=*/1, PCAP_NETMASK_UNKNOWN);
  const std::string error = pcap_geterr(ethernet);
  pcap_close(ethernet);
  if (result != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("filter '", text, "': ", error,
                     "; write it as for tcpdump, such as 'tcp port 80'"));
  }
  return CaptureFilter(
      std::shared_ptr<bpf_program>(program.release(), [](bpf_program* p) {
        pcap_freecode(p);
        std::default_delete<bpf_program>()(p);
      }));
}

bool CaptureFilter::Matches(const uint8_t* bytes, uint32_t captured,
                            uint32_t length) const {
  return program_ == nullptr ||
         bpf_filter(program_->bf_insns, bytes, length, captured) != 0;
}

}  // namespace corelane::runtime
