#include "tests/sim/pcap_writer.h"

#include <cstdint>

namespace corelane::sim {
namespace {

struct FileHeader {
  uint32_t magic = 0xa1b23c4d;  // nanoseconds
  uint16_t major = 2;
  uint16_t minor = 4;
  uint32_t zone = 0;
  uint32_t accuracy = 0;
  uint32_t snap_length = 262144;
  uint32_t link_type = 1;  // Ethernet
};
static_assert(sizeof(FileHeader) == 24);

struct RecordHeader {
  uint32_t seconds;
  uint32_t nanoseconds;
  uint32_t captured;
  uint32_t length;
};

}  // namespace

bool PcapWriter::Open(const std::string& path) {
  Close();
  file_ = std::fopen(path.c_str(), "wb");
  if (file_ == nullptr) return false;
  const FileHeader header;
  return std::fwrite(&header, sizeof(header), 1, file_) == 1;
}

void PcapWriter::Write(ByteView frame, Time at) {
  if (file_ == nullptr) return;
  const auto ns = static_cast<uint64_t>(at.time_since_epoch().count());
  const auto length = static_cast<uint32_t>(frame.size());
  const RecordHeader header{static_cast<uint32_t>(ns / 1'000'000'000),
                            static_cast<uint32_t>(ns % 1'000'000'000), length,
                            length};
  std::fwrite(&header, sizeof(header), 1, file_);
  std::fwrite(frame.data(), 1, frame.size(), file_);
}

void PcapWriter::Close() {
  if (file_ != nullptr) std::fclose(file_);
  file_ = nullptr;
}

}  // namespace corelane::sim
