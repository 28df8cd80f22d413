// Holds many connections at once, and asks each of them for one answer:
//   corelane_capacity CONNECTIONS
// Prints what it found as one line of JSON. Memory is the process's own: what
// it grew by from before the stack was made until all connections were idle,
// the packets of the harness and the clients' state left out.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "bench/stack_harness.h"
#include "dataplane/app/content.h"
#include "dataplane/app/http_app.h"

namespace corelane::bench {
namespace {

constexpr uint16_t kPort = 80;
constexpr std::string_view kRequest =
    "GET / HTTP/1.1\r\nHost: 198.18.0.1\r\nUser-Agent: bench\r\n\r\n";

double ResidentBytes() {
  long size = 0;
  long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
  std::fclose(file);
  return static_cast<double>(resident) *
         static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Every connection is asked once; returns how many answered.
uint64_t AskAll(StackHarness& stack, uint32_t connections) {
  const ByteView request(reinterpret_cast<const uint8_t*>(kRequest.data()),
                         kRequest.size());
  std::vector<Packet*> burst;
  uint64_t answered = 0;
  for (uint32_t i = 0; i < connections; i += kBatch) {
    const uint32_t end = std::min(i + kBatch, connections);
    for (uint32_t k = i; k < end; ++k) {
      burst.push_back(stack.TcpFrame(k, kPort, tcp::kAck | tcp::kPsh, request));
    }
    stack.Turn(burst);
    stack.Collect();
    for (uint32_t k = i; k < end; ++k) {
      // An answer of 128 bytes and its head.
      if (stack.peers()[k].ack - stack.peers()[k].first > 128) ++answered;
      burst.push_back(stack.TcpFrame(k, kPort, tcp::kAck, {}));
    }
    stack.Turn(burst);
    stack.Collect();
  }
  return answered;
}

int Main(uint32_t connections) {
  auto content = dataplane::Content::FromSize(128);
  // None is closed for being idle while the others are asked.
  dataplane::HttpConfig config;
  config.idle_timeout = 24h;
  dataplane::HttpApp http(config, content->get());
  const double empty = ResidentBytes();
  StackHarness stack({.connections = connections, .held_per_connection = 0});
  // The clients' side: touched by the constructor. The packets: touched when
  // first used, of which there are few.
  const double clients = static_cast<double>(stack.peers().size_bytes());
  const uint16_t app = stack.pipeline().AddApplication(&http);
  if (!stack.pipeline().tcp().Listen(Ipv4Address(), kPort, app).ok()) return 1;
  stack.Introduce();
  const double ns = stack.Establish(kPort, 0, connections);
  const uint32_t held = stack.pipeline().tcp().blocks().in_use();
  const double bytes = ResidentBytes() - empty - clients;
  // As many requests in a second as there is time for in the figures.
  stack.set_step(100us);
  const uint64_t answered = AskAll(stack, connections);
  std::printf(
      "{\"connections\": %u, \"held\": %u, \"answered\": %llu, "
      "\"bytes_per_connection\": %.1f, \"establish_ns\": %.1f, "
      "\"resident_bytes_at_end\": %.0f}\n",
      connections, held, static_cast<unsigned long long>(answered),
      bytes / connections, ns / connections, ResidentBytes());
  return 0;
}

}  // namespace
}  // namespace corelane::bench

int main(int argc, char** argv) {
  const long connections = argc == 2 ? std::atol(argv[1]) : 0;
  if (connections < 1 || connections > 100'000'000) {
    std::fprintf(stderr,
                 "usage: corelane_capacity CONNECTIONS (1 to 100000000)\n");
    return 2;
  }
  return corelane::bench::Main(static_cast<uint32_t>(connections));
}
