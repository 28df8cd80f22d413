// A pipeline on packets from the heap, to look into.
#ifndef CORELANE_TESTS_RUNTIME_TEST_STACK_H_
#define CORELANE_TESTS_RUNTIME_TEST_STACK_H_

#include <memory>

#include "dataplane/packet/packet_pool.h"
#include "dataplane/pipeline/pipeline.h"
#include "tests/sim/heap_packets.h"

namespace corelane {

class TestStack {
 public:
  TestStack() : packets_(512), pool_(packets_.backend()) {
    dataplane::PipelineConfig config;
    dataplane::InterfaceConfig interface;
    interface.name = "if0";
    interface.mac = {{2, 0, 0, 0, 0, 1}};
    interface.addresses = {{Ipv4Address(10, 77, 0, 2), 24}};
    config.interfaces = {interface};
    config.routes = {{{Ipv4Address(), 0}, Ipv4Address(10, 77, 0, 1)}};
    config.secrets = dataplane::Secrets::FromSeed(1);
    config.limits.max_connections = 1024;
    config.arp.announcer.probe = false;
    pipeline_ = *dataplane::Pipeline::Create(config, &pool_, kTimeZero + 1s);
  }

  dataplane::Pipeline& pipeline() { return *pipeline_; }

 private:
  sim::HeapPackets packets_;
  dataplane::PacketPool pool_;
  std::unique_ptr<dataplane::Pipeline> pipeline_;
};

}  // namespace corelane

#endif  // CORELANE_TESTS_RUNTIME_TEST_STACK_H_
