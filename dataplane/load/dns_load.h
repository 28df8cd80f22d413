// Asks DNS queries of a list over UDP, in turn, and checks the answers.
#ifndef CORELANE_DATAPLANE_LOAD_DNS_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_DNS_LOAD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/load/datagram_load.h"

namespace corelane::dataplane {

struct DnsQuery {
  std::vector<uint8_t> query;  // as from dns::MakeQuery
  uint16_t type = 0;
  uint8_t rcode = 0;  // that is wanted
  // Data that an answer of this type has to have; empty: whatever there is.
  std::vector<uint8_t> data;
};

struct DnsLoadConfig {
  LoadConfig load;
  uint32_t sockets = 1;                                  // source ports
  std::shared_ptr<const std::vector<DnsQuery>> queries;  // at least one
};

class DnsLoad final : public DatagramLoad {
 public:
  explicit DnsLoad(const DnsLoadConfig& config);

 private:
  ByteView Compose(uint64_t serial) override;
  std::optional<uint64_t> SerialOf(const Datagram& answer) const override;
  bool IsRight(uint64_t serial, const Datagram& answer) const override;

  const DnsQuery& QueryOf(uint64_t serial) const {
    return (*queries_)[serial % queries_->size()];
  }
  // Each socket counts its own.
  uint16_t IdOf(uint64_t serial) const {
    return static_cast<uint16_t>(serial / sockets());
  }

  std::shared_ptr<const std::vector<DnsQuery>> queries_;
  std::vector<uint8_t> query_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_DNS_LOAD_H_
