// The smallest use of the installed library: a stack of its own, without any
// device, that answers one ARP request from memory.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "dataplane/app/echo.h"
#include "dataplane/pipeline/pipeline.h"

namespace dp = corelane::dataplane;

namespace {

// Packets from an array. A program on DPDK would take them from a mempool.
struct Array {
  static constexpr uint32_t kCount = 256;
  static constexpr size_t kStride =
      sizeof(dp::Packet) + dp::kPacketPrivateSize + dp::kPacketBufferSize;

  Array()
      : memory(
            static_cast<uint8_t*>(std::aligned_alloc(64, kCount * kStride))) {
    std::memset(memory, 0, kCount * kStride);
    for (uint32_t i = 0; i < kCount; ++i) {
      auto* packet = reinterpret_cast<dp::Packet*>(memory + i * kStride);
      packet->buf_addr =
          memory + i * kStride + sizeof(dp::Packet) + dp::kPacketPrivateSize;
      packet->buf_len = dp::kPacketBufferSize;
      packet->refcnt = 1;
      packet->nb_segs = 1;
      packet->priv_size = dp::kPacketPrivateSize;
      free.push_back(packet);
    }
  }
  ~Array() { std::free(memory); }

  dp::PacketBackend backend() {
    dp::PacketBackend b;
    b.self = this;
    b.take = [](void* self, dp::Packet** out, uint32_t n) {
      auto& list = static_cast<Array*>(self)->free;
      uint32_t taken = 0;
      for (; taken < n && !list.empty(); ++taken) {
        out[taken] = list.back();
        list.pop_back();
      }
      return taken;
    };
    b.give = [](void* self, dp::Packet** packets, uint32_t n) {
      auto& list = static_cast<Array*>(self)->free;
      list.insert(list.end(), packets, packets + n);
    };
    b.available = [](void* self) {
      return static_cast<uint32_t>(static_cast<Array*>(self)->free.size());
    };
    return b;
  }

  uint8_t* memory;
  std::vector<dp::Packet*> free;
};

}  // namespace

int main() {
  using corelane::Ipv4Address;
  using corelane::MacAddress;
  Array array;
  dp::PacketPool pool(array.backend());
  dp::PipelineConfig config;
  dp::InterfaceConfig interface;
  interface.name = "example";
  interface.mac = MacAddress{{2, 0, 0, 0, 0, 1}};
  interface.addresses = {{Ipv4Address(10, 77, 0, 2), 24}};
  config.interfaces = {interface};
  config.secrets = dp::Secrets::FromSeed(1);
  config.arp.announcer.probe = false;
  auto pipeline = dp::Pipeline::Create(config, &pool, corelane::kTimeZero);
  if (!pipeline.ok()) return 1;
  dp::EchoApp echo;
  const uint16_t app = (*pipeline)->AddApplication(&echo);
  if (!(*pipeline)->tcp().Listen(Ipv4Address(), 7, app).ok()) return 1;

  // Somebody asks for our MAC address; the stack answers into its queue.
  dp::Packet* request = pool.Alloc();
  uint8_t* p = dp::Append(request, corelane::arp::kPacketLength);
  corelane::arp::Write(p, {.operation = corelane::arp::kRequest,
                           .sender_mac = MacAddress{{2, 0, 0, 0, 0, 2}},
                           .sender = Ipv4Address(10, 77, 0, 1),
                           .target_mac = MacAddress{},
                           .target = Ipv4Address(10, 77, 0, 2)});
  corelane::ethernet::Write(
      dp::Prepend(request, corelane::ethernet::kHeaderLength),
      {.destination = MacAddress::Broadcast(),
       .source = MacAddress{{2, 0, 0, 0, 0, 2}},
       .ether_type = corelane::ethernet::kArp});
  (*pipeline)->BeginTurn(corelane::Time(corelane::Duration(1)));
  (*pipeline)->Receive(0, {&request, 1});
  (*pipeline)->EndTurn();
  const uint64_t replies = (*pipeline)->core().counters.arp_replies_out;
  std::printf("example: %llu ARP reply\n",
              static_cast<unsigned long long>(replies));
  return replies == 1 ? 0 : 1;
}
