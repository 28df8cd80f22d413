#include "bench/scenarios.h"

#include <array>

namespace corelane::bench {
namespace {

template <uint32_t kConnections>
std::unique_ptr<Scenario> TcpEcho() {
  return MakeTcpEcho(kConnections, /*offload=*/true, /*peer_options=*/true);
}

std::unique_ptr<Scenario> TcpEchoBare() {
  return MakeTcpEcho(4096, /*offload=*/true, /*peer_options=*/false);
}

std::unique_ptr<Scenario> TcpEchoSoftware() {
  return MakeTcpEcho(4096, /*offload=*/false, /*peer_options=*/true);
}

}  // namespace

std::span<const NamedScenario> Scenarios() {
  static const std::array all = std::to_array<NamedScenario>({
      {"floor_5tswap", MakeSwap, true},
      {"udp_echo/offload", [] { return MakeUdpEcho(true); }, true},
      {"udp_echo/software", [] { return MakeUdpEcho(false); }, true},
      {"tcp_echo/1", TcpEcho<1>},
      {"tcp_echo/64", TcpEcho<64>},
      {"tcp_echo/1024", TcpEcho<1024>},
      {"tcp_echo/4096", TcpEcho<4096>, true},
      {"tcp_echo/16384", TcpEcho<16384>},
      {"tcp_echo/65536", TcpEcho<65536>},
      {"tcp_echo/262144", TcpEcho<262144>},
      {"tcp_echo/1000000", TcpEcho<1000000>},
      {"tcp_echo/4000000", TcpEcho<4000000>},
      {"tcp_echo_bare/4096", TcpEchoBare, true},
      {"tcp_echo_software/4096", TcpEchoSoftware, true},
      {"pure_ack/4096", [] { return MakePureAck(4096); }, true},
      {"http_keep_alive/4096", [] { return MakeHttpKeepAlive(4096); }, true},
      {"http_connection", MakeHttpConnection, true},
      {"establish/1000000", [] { return MakeEstablish(1000000); }},
      {"establish_fresh/1000000", [] { return MakeEstablishFresh(1000000); }},
      {"establish/4096", [] { return MakeEstablish(4096); }, true},
      {"bulk_receive/offload", [] { return MakeBulkReceive(true); }, true},
      {"bulk_receive/software", [] { return MakeBulkReceive(false); }, true},
      {"bulk_send", MakeBulkSend, true},
      {"bulk_send_tso", [] { return MakeBulkSendTso(44); }, true},
      {"bulk_send_tso/ack2", [] { return MakeBulkSendTso(2); }, true},
  });
  return all;
}

}  // namespace corelane::bench
