// Everything on the wires as a pcap file, for Wireshark.
#ifndef CORELANE_TESTS_SIM_PCAP_WRITER_H_
#define CORELANE_TESTS_SIM_PCAP_WRITER_H_

#include <cstdio>
#include <string>

#include "proto/base/bytes.h"
#include "proto/base/time.h"

namespace corelane::sim {

class PcapWriter {
 public:
  PcapWriter() = default;
  ~PcapWriter() { Close(); }
  PcapWriter(const PcapWriter&) = delete;
  PcapWriter& operator=(const PcapWriter&) = delete;

  // False if the file cannot be made.
  bool Open(const std::string& path);
  void Write(ByteView frame, Time at);
  void Close();

 private:
  std::FILE* file_ = nullptr;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_PCAP_WRITER_H_
