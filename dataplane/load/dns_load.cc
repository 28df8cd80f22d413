#include "dataplane/load/dns_load.h"

#include "proto/dns/message.h"

namespace corelane::dataplane {
namespace {

constexpr uint64_t kIds = 1u << 16;

}  // namespace

// Of those that wait no two at one socket have the same ID.
DnsLoad::DnsLoad(const DnsLoadConfig& config)
    : DatagramLoad(config.load, config.sockets, kIds * config.sockets,
                   Outcome::kTimedOut),
      queries_(config.queries) {}

ByteView DnsLoad::Compose(uint64_t serial) {
  query_ = QueryOf(serial).query;
  dns::SetId(query_.data(), IdOf(serial));
  return query_;
}

// The last one with this ID that was asked from there.
std::optional<uint64_t> DnsLoad::SerialOf(const Datagram& answer) const {
  const auto header = dns::ReadHeader(answer.payload);
  const uint32_t socket = NumberOf(answer.socket);
  if (!header.has_value() || socket >= sockets() || next() <= socket) {
    return std::nullopt;
  }
  const uint64_t last = (next() - 1 - socket) / sockets();
  const uint64_t since = (last - header->id) % kIds;
  if (since > last) return std::nullopt;
  return (last - since) * sockets() + socket;
}

bool DnsLoad::IsRight(uint64_t serial, const Datagram& answer) const {
  const DnsQuery& asked = QueryOf(serial);
  const auto header = dns::ReadHeader(answer.payload);
  return header.has_value() && header->is_response &&
         header->rcode == asked.rcode &&
         dns::EchoesQuestion(answer.payload, asked.query) &&
         (asked.data.empty() ||
          dns::HasAnswer(answer.payload, asked.type, asked.data));
}

}  // namespace corelane::dataplane
