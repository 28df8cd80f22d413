// `corelane capture`.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/flag_values.h"
#include "dataplane/inspect/decode.h"
#include "dataplane/inspect/pcapng.h"
#include "dataplane/runtime/capture_filter.h"
#include "dataplane/runtime/capture_ring.h"
#include "dataplane/runtime/log.h"

namespace corelane::cli {
namespace {

using runtime::CapturedPacket;
using Json = nlohmann::ordered_json;

volatile sig_atomic_t stop_asked = 0;

struct Limits {
  uint64_t packets = UINT64_MAX;
  uint64_t bytes = 100u << 20;
  Duration time = Duration::max();
};

// The instance's rings in our memory.
class Rings {
 public:
  static absl::StatusOr<std::unique_ptr<Rings>> Map(const Json& grant) {
    auto rings = std::make_unique<Rings>();
    const auto count = grant.value("rings", uint64_t{0});
    const auto each = grant.value("ring_bytes", uint64_t{0});
    const std::string path =
        absl::StrCat("/proc/", grant.value("pid", uint64_t{0}), "/fd/",
                     grant.value("fd", uint64_t{0}));
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) {
      return absl::PermissionDeniedError(absl::StrCat(
          "the instance's captured packets cannot be reached through ", path,
          ": ", std::strerror(errno),
          "; run in the same PID namespace, as the same user"));
    }
    rings->size_ = count * each;
    void* memory =
        mmap(nullptr, rings->size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) {
      return absl::ResourceExhaustedError("no memory to map the capture");
    }
    rings->memory_ = static_cast<uint8_t*>(memory);
    for (uint64_t i = 0; i < count; ++i) {
      rings->readers_.emplace_back(rings->memory_ + i * each);
    }
    return rings;
  }
  Rings() = default;
  ~Rings() {
    if (memory_ != nullptr) munmap(memory_, size_);
  }
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;

  // What has come since, of all cores, by time.
  std::vector<CapturedPacket> Read() {
    std::vector<CapturedPacket> packets;
    for (runtime::CaptureReader& reader : readers_) {
      reader.Beat();
      constexpr size_t kMost = 4096;
      for (size_t i = 0; i < kMost; ++i) {
        auto packet = reader.Read();
        if (!packet.has_value()) break;
        packets.push_back(*std::move(packet));
      }
    }
    std::stable_sort(packets.begin(), packets.end(),
                     [](const CapturedPacket& a, const CapturedPacket& b) {
                       return a.record.unix_ns < b.record.unix_ns;
                     });
    return packets;
  }
  uint64_t missed() const {
    uint64_t sum = 0;
    for (const runtime::CaptureReader& r : readers_) sum += r.missed();
    return sum;
  }

 private:
  uint8_t* memory_ = nullptr;
  size_t size_ = 0;
  std::vector<runtime::CaptureReader> readers_;
};

// Where packets go: a file, the screen, or both.
class Output {
 public:
  Output(FILE* file, bool decode) : file_(file), decode_(decode) {}

  void Begin(std::span<const std::string> interfaces) {
    if (file_ != nullptr) Write(inspect::PcapngHead(interfaces), file_);
  }
  void Packet(const CapturedPacket& packet) {
    ++packets_;
    if (file_ != nullptr) Write(inspect::PcapngPacket(packet), file_);
    if (!decode_) return;
    const auto seconds =
        static_cast<time_t>(packet.record.unix_ns / 1'000'000'000);
    tm utc{};
    gmtime_r(&seconds, &utc);
    Write(absl::StrFormat(
              "packet %u, %02d:%02d:%02d.%09u UTC, port %u, %s, %u bytes\n",
              packets_, utc.tm_hour, utc.tm_min, utc.tm_sec,
              packet.record.unix_ns % 1'000'000'000, packet.record.port,
              packet.record.sent != 0 ? "sent" : "received",
              packet.record.length),
          stdout);
    Write(inspect::DecodeFrame(packet.bytes), stdout);
  }
  // Makes it visible.
  bool Flush() {
    if (file_ != nullptr && std::fflush(file_) != 0) good_ = false;
    if (decode_ && std::fflush(stdout) != 0) good_ = false;
    return good_;
  }
  uint64_t packets() const { return packets_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void Write(const std::string& text, FILE* to) {
    if (to == file_) bytes_ += text.size();
    if (std::fwrite(text.data(), 1, text.size(), to) != text.size()) {
      good_ = false;
    }
  }

  FILE* file_;
  bool decode_;
  bool good_ = true;
  uint64_t packets_ = 0;
  uint64_t bytes_ = 0;
};

// Until a limit is reached, Ctrl-C, or the instance's end.
absl::Status Run(inspect::Client& client, Rings& rings, const Limits& limits,
                 Output& output) {
  const auto begin = std::chrono::steady_clock::now();
  auto looked = begin;
  while (stop_asked == 0) {
    const auto now = std::chrono::steady_clock::now();
    if (now - begin >= limits.time) break;
    const std::vector<CapturedPacket> packets = rings.Read();
    for (const CapturedPacket& packet : packets) {
      // 64: what surrounds a packet in the file.
      if (output.packets() >= limits.packets ||
          output.bytes() + packet.bytes.size() + 64 > limits.bytes) {
        return absl::OkStatus();
      }
      output.Packet(packet);
    }
    if (!output.Flush()) {
      return absl::DataLossError("the output cannot be written; is it full?");
    }
    if (output.packets() >= limits.packets) break;
    // An instance that ended leaves its memory to us, silent.
    if (now - looked > std::chrono::seconds(1)) {
      looked = now;
      if (absl::Status s = client.Ask("/corelane/addr").status(); !s.ok()) {
        return s;
      }
    }
    if (packets.empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  return absl::OkStatus();
}

struct Flags {
  std::vector<std::string> filter;
  std::optional<std::string> file;
  std::optional<std::string> packets;
  std::optional<std::string> bytes;
  std::optional<std::string> seconds;
  bool decode = false;

  explicit Flags(CommandLine& line) {
    line.AddOperands("FILTER", filter,
                     "As for tcpdump, such as 'tcp port 80' (default: all)");
    line.AddValue("-w,--write", file, "FILE",
                  "Write pcapng there; - is the standard output");
    line.AddSwitch("--decode", decode,
                   "Print each packet's headers field by field");
    line.AddValue("--max-packets", packets, "N", "Stop after so many");
    line.AddValue("--max-bytes", bytes, "N",
                  "Stop before the file is larger (default: 100 MiB)");
    line.AddValue("--seconds", seconds, "N", "Stop after so long");
    line.SetFooter(
        "Both directions of all devices and cores. Checksums that are left to "
        "a\n"
        "device are not in the packets that were sent.\n\n"
        "Examples:\n  corelane capture 'tcp port 80' -w web.pcapng\n"
        "  corelane capture arp or icmp --decode --max-packets 2\n"
        "  corelane capture -w - | tcpdump -nr -\n");
  }

  absl::StatusOr<Limits> Understand() const {
    Limits limits;
    if (!file.has_value() && !decode) {
      return absl::InvalidArgumentError(
          "where to? give -w FILE, or --decode to read it here");
    }
    if (decode && file == "-") {
      return absl::InvalidArgumentError(
          "-w - and --decode both want the standard output; give one of them");
    }
    if (packets.has_value()) {
      auto n = ParseNumber("--max-packets", *packets, 1, 1u << 30, "");
      if (!n.ok()) return n.status();
      limits.packets = *n;
    }
    if (bytes.has_value()) {
      auto n =
          ParseNumber("--max-bytes", *bytes, 1024, uint64_t{1} << 40, "bytes");
      if (!n.ok()) return n.status();
      limits.bytes = *n;
    }
    if (seconds.has_value()) {
      auto n = ParseDuration("--seconds", *seconds, 1s, 24h);
      if (!n.ok()) return n.status();
      limits.time = *n;
    }
    return limits;
  }
};

absl::StatusOr<std::vector<std::string>> InterfaceNames(
    inspect::Client& client) {
  auto rows = client.AskAll("/corelane/ports");
  if (!rows.ok()) return rows.status();
  std::vector<std::string> names;
  for (const Json& row : *rows) {
    const std::string label = row.value("label", "");
    names.push_back(label.empty() ? row.value("name", "") : label);
  }
  return names;
}

int Capture(inspect::Client& client, const std::string& filter,
            const Limits& limits, FILE* file, bool decode) {
  const auto names = InterfaceNames(client);
  if (!names.ok()) return ClientCommand::Fail(names.status());
  const auto grant = client.Ask(absl::StrCat(
      "/corelane/capture/start", filter.empty() ? "" : ",", filter));
  if (!grant.ok()) return ClientCommand::Fail(grant.status());
  auto rings = Rings::Map(*grant);
  absl::Status status = rings.status();
  Output output(file, decode);
  if (status.ok()) {
    output.Begin(*names);
    status = Run(client, **rings, limits, output);
  }
  client.Ask("/corelane/capture/stop").status().IgnoreError();
  if (rings.ok()) {
    const uint64_t missed = (*rings)->missed();
    runtime::LogInfo(absl::StrCat(
        output.packets(), " packets captured",
        missed == 0 ? ""
                    : absl::StrCat(", ", missed,
                                   " more came faster than they were read; "
                                   "give a narrower filter")));
  }
  return status.ok() && output.Flush() ? kExitOk : ClientCommand::Fail(status);
}

}  // namespace

int RunCapture(const Arguments& arguments) {
  ClientCommand command("capture", "Capture packets of a running instance.");
  const Flags flags(command.line());
  if (auto code = command.Parse(arguments)) return *code;
  const auto limits = flags.Understand();
  if (!limits.ok()) return command.line().Refuse(limits.status().message());
  const std::string filter = absl::StrJoin(flags.filter, " ");
  if (const auto f = runtime::CaptureFilter::Compile(filter); !f.ok()) {
    return command.line().Refuse(f.status().message());
  }
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  FILE* file = nullptr;
  if (flags.file.has_value()) {
    file = *flags.file == "-" ? stdout : std::fopen(flags.file->c_str(), "wb");
    if (file == nullptr) {
      return command.line().Refuse(
          absl::StrCat("-w ", *flags.file, ": ", std::strerror(errno)));
    }
  }
  stop_asked = 0;
  struct sigaction action = {};
  action.sa_handler = [](int) { stop_asked = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const int code = Capture(*client, filter, *limits, file, flags.decode);
  if (file != nullptr && file != stdout) std::fclose(file);
  return code;
}

}  // namespace corelane::cli
