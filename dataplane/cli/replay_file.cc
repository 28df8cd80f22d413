#include "dataplane/cli/replay_file.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/ethernet/header.h"

namespace corelane::cli {
namespace {

using PcapFile = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

// What libpcap says of a file that ends too early, pcap or pcapng.
bool SaysCutOff(const char* message) {
  return absl::StartsWith(message, "truncated ");
}

// A frame that cannot be sent as it was, the first of its kind.
struct Unfit {
  uint64_t count = 0;
  uint64_t number = 0;  // of the first, from 1
  uint32_t captured = 0;
  uint32_t length = 0;

  void Note(uint64_t frame, const pcap_pkthdr& header) {
    if (count++ > 0) return;
    number = frame;
    captured = header.caplen;
    length = header.len;
  }
};

class Reader {
 public:
  Reader(std::string path, const ReplayFileOptions& options)
      : path_(std::move(path)), options_(options) {}

  absl::StatusOr<ReplayFile> Read() {
    absl::Status s = Open();
    if (s.ok()) s = ReadFrames();
    if (s.ok() && !options_.skip_unfit) s = CheckUnfit();
    if (!s.ok()) return s;
    if (tape_.empty()) return Empty();
    result_.cut = cut_.count;
    result_.too_long = long_.count;
    result_.too_short = short_.count;
    result_.tape =
        std::make_shared<const dataplane::FrameTape>(std::move(tape_));
    return std::move(result_);
  }

 private:
  absl::Status Bad(const std::string& message) const {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": ", message));
  }

  absl::Status Open() {
    FILE* file = path_ == "-" ? stdin : std::fopen(path_.c_str(), "rb");
    if (file == nullptr) return Bad(std::strerror(errno));
    // libpcap's words for this are about bytes.
    const int first = std::fgetc(file);
    if (first == EOF) {
      const bool failed = std::ferror(file) != 0;
      const int error = errno;
      if (file != stdin) std::fclose(file);
      return Bad(failed ? std::strerror(error)
                        : "it is empty; give a capture, as tcpdump -w or "
                          "corelane capture -w writes it");
    }
    std::ungetc(first, file);
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    pcap_.reset(pcap_fopen_offline_with_tstamp_precision(
        file, PCAP_TSTAMP_PRECISION_NANO, error.data()));
    if (pcap_ == nullptr) {
      if (file != stdin) std::fclose(file);
      return Bad(absl::StrCat(
          SaysCutOff(error.data()) ? "it is cut off in its head"
                                   : "it is no capture",
          " (", error.data(),
          "); give a pcap or pcapng file, as tcpdump -w or corelane capture "
          "-w writes it"));
    }
    const int type = pcap_datalink(pcap_.get());
    if (type == DLT_EN10MB) return absl::OkStatus();
    const char* name = pcap_datalink_val_to_name(type);
    return Bad(absl::StrCat(
        "its link type is ", name == nullptr ? "" : name,
        name == nullptr ? "" : ", number ", type,
        ", and only Ethernet can be replayed; capture on one Ethernet "
        "interface (tcpdump -i eth0, not -i any)"));
  }

  absl::Status ReadFrames() {
    for (uint64_t frame = 1;; ++frame) {
      pcap_pkthdr* header = nullptr;
      const uint8_t* bytes = nullptr;
      const int got = pcap_next_ex(pcap_.get(), &header, &bytes);
      if (got == PCAP_ERROR_BREAK) return absl::OkStatus();  // the end
      if (got != 1) {
        const std::string why = pcap_geterr(pcap_.get());
        if (SaysCutOff(why.c_str())) {
          if (frame == 1) return Bad("it is cut off in its first frame");
          result_.cut_off = true;
          return absl::OkStatus();
        }
        return Bad(absl::StrCat("frame ", frame, " is damaged (", why,
                                "); cut the file in front of it, as tcpdump "
                                "-c ",
                                frame - 1, " -r FILE -w NEW does"));
      }
      Take(frame, *header, {bytes, header->caplen});
      if (tape_.memory() > options_.memory) {
        return Bad(absl::StrCat(
            "its frames take more than ", options_.memory >> 20,
            " MiB of memory, from frame ", frame, " on; cut it, as tcpdump -c ",
            frame - 1, " -r FILE -w NEW does"));
      }
    }
  }

  void Take(uint64_t number, const pcap_pkthdr& header, ByteView bytes) {
    constexpr size_t kHeader = ethernet::kHeaderLength;
    if (header.caplen < header.len) {
      cut_.Note(number, header);
    } else if (bytes.size() < kHeader) {
      short_.Note(number, header);
    } else if (bytes.size() > MostFor(bytes)) {
      long_.Note(number, header);
    } else {
      tape_.Append(TimeOf(header), bytes);
    }
  }

  // A tag comes on top of what the MTU counts.
  size_t MostFor(ByteView frame) const {
    const uint16_t type = LoadBe16(frame.data() + 12);
    const bool tagged =
        type == ethernet::kVlan || type == ethernet::kServiceVlan;
    return size_t{options_.mtu} + ethernet::kHeaderLength +
           (tagged ? ethernet::kTagLength : 0);
  }

  // Since the first frame. Files may say anything: what is further away than
  // thirty years is thirty years away.
  Duration TimeOf(const pcap_pkthdr& header) {
    constexpr int64_t kFar = 1'000'000'000;
    const auto seconds = static_cast<uint64_t>(header.ts.tv_sec);
    if (tape_.empty()) first_second_ = seconds;
    const int64_t since =
        std::clamp(static_cast<int64_t>(seconds - first_second_), -kFar, kFar);
    const int64_t ns =
        std::clamp<int64_t>(header.ts.tv_usec, 0, 999'999'999);  // not us here
    return Duration(since * 1'000'000'000 + ns);
  }

  absl::Status CheckUnfit() const {
    constexpr absl::string_view kSkip = "--skip-unfit leaves them out";
    if (cut_.count > 0) {
      return Bad(absl::StrCat(
          Frames(cut_.count), " not captured in full, first number ",
          cut_.number, ", ", cut_.captured, " of ", cut_.length,
          " bytes; capture whole frames (tcpdump -s 0), or ", kSkip));
    }
    if (long_.count > 0) {
      return Bad(absl::StrCat(
          Frames(long_.count), " too long for an MTU of ", options_.mtu,
          ", first number ", long_.number, ", ", long_.captured,
          " bytes; give a larger --mtu if the device takes it, or ", kSkip));
    }
    if (short_.count > 0) {
      return Bad(absl::StrCat(
          Frames(short_.count), " shorter than an Ethernet header, first ",
          "number ", short_.number, ", ", short_.captured, " bytes; ", kSkip));
    }
    return absl::OkStatus();
  }

  static std::string Frames(uint64_t n) {
    return absl::StrCat(n, n == 1 ? " frame is" : " frames are");
  }

  absl::Status Empty() const {
    const uint64_t unfit = cut_.count + long_.count + short_.count;
    if (unfit == 0) return Bad("it has no frames");
    return Bad(absl::StrCat("none of its ", unfit,
                            " frames can be sent as it was: ", cut_.count,
                            " not captured in full, ", long_.count,
                            " too long, ", short_.count, " too short"));
  }

  std::string path_;
  ReplayFileOptions options_;
  PcapFile pcap_{nullptr, pcap_close};
  dataplane::FrameTape tape_;
  uint64_t first_second_ = 0;
  Unfit cut_;
  Unfit long_;
  Unfit short_;
  ReplayFile result_;
};

}  // namespace

absl::StatusOr<ReplayFile> ReadReplayFile(const std::string& path,
                                          const ReplayFileOptions& options) {
  return Reader(path, options).Read();
}

}  // namespace corelane::cli
