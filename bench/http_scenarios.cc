#include <algorithm>
#include <string_view>
#include <vector>

#include "bench/scenarios.h"
#include "bench/stack_harness.h"
#include "bench/visits.h"
#include "dataplane/app/content.h"
#include "dataplane/app/echo.h"
#include "dataplane/app/http_app.h"

namespace corelane::bench {
namespace {

constexpr uint16_t kPort = 80;

ByteView Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class HttpServer {
 public:
  explicit HttpServer(const StackOptions& options)
      : content_(*dataplane::Content::FromSize(128)),
        http_({}, content_.get()),
        stack_(options) {
    const uint16_t app = stack_.pipeline().AddApplication(&http_);
    stack_.pipeline().tcp().Listen(Ipv4Address(), kPort, app).IgnoreError();
  }
  StackHarness& stack() { return stack_; }

 private:
  std::unique_ptr<dataplane::Content> content_;
  dataplane::HttpApp http_;
  StackHarness stack_;
};

class HttpKeepAlive : public Scenario {
 public:
  explicit HttpKeepAlive(uint32_t connections)
      : server_({.connections = connections}), visits_(connections) {
    server_.stack().Establish(kPort);
  }
  Sample Step() override {
    constexpr std::string_view kRequest =
        "GET / HTTP/1.1\r\nHost: 198.18.0.1\r\nUser-Agent: bench\r\n\r\n";
    StackHarness& stack = server_.stack();
    for (uint32_t i = 0; i < kBatch; ++i) {
      burst_.push_back(stack.TcpFrame(visits_.Next(), kPort,
                                      tcp::kAck | tcp::kPsh, Bytes(kRequest)));
    }
    const double ns = stack.RunBurst(burst_);
    return {ns, stack.Collect()};
  }

 private:
  HttpServer server_;
  Visits visits_;
  std::vector<Packet*> burst_;
};

// The peers' ports come again when their TIME-WAIT has ended.
class HttpConnection : public Scenario {
 public:
  HttpConnection() : server_({.connections = kPeers, .time_wait = 500us}) {
    server_.stack().Introduce();
  }
  Sample Step() override {
    constexpr std::string_view kRequest =
        "GET / HTTP/1.1\r\nHost: 198.18.0.1\r\nConnection: close\r\n\r\n";
    StackHarness& stack = server_.stack();
    if (next_ == kPeers) {
      next_ = 0;
      ++generation_;
    }
    for (uint32_t i = 0; i < kBatch; ++i) stack.Renew(next_ + i, generation_);
    double ns = stack.Establish(kPort, next_, next_ + kBatch);
    ns += SendAll(tcp::kAck | tcp::kPsh, Bytes(kRequest));
    ns += SendAll(tcp::kAck | tcp::kFin, {});
    next_ += kBatch;
    return {ns, kBatch};
  }

 private:
  static constexpr uint32_t kPeers = 8192;

  double SendAll(uint8_t flags, ByteView payload) {
    StackHarness& stack = server_.stack();
    for (uint32_t i = 0; i < kBatch; ++i) {
      burst_.push_back(stack.TcpFrame(next_ + i, kPort, flags, payload));
    }
    const double ns = stack.RunBurst(burst_);
    stack.Collect();
    return ns;
  }

  HttpServer server_;
  uint32_t next_ = 0;
  uint32_t generation_ = 0;
  std::vector<Packet*> burst_;
};

// Opens connections, while as many others are reset outside of what is timed;
// each comes again when a sixteenth of all have come after it.
class Establish : public Scenario {
 public:
  explicit Establish(uint32_t connections)
      : stack_({.connections = connections}),
        connections_(connections),
        closed_(connections / 16 / kBatch * kBatch) {
    const uint16_t app = stack_.pipeline().AddApplication(&discard_);
    stack_.pipeline().tcp().Listen(Ipv4Address(), kPort, app).IgnoreError();
    stack_.Introduce();
    stack_.Establish(kPort, 0, connections);
    for (uint32_t i = 0; i < closed_; i += kBatch) Reset(i);
  }
  Sample Step() override {
    Reset((next_ + closed_) % connections_);
    const double ns = stack_.Establish(kPort, next_, next_ + kBatch);
    next_ = (next_ + kBatch) % connections_;
    return {ns, kBatch};
  }

 private:
  void Reset(uint32_t first) {
    for (uint32_t i = first; i < first + kBatch; ++i) {
      burst_.push_back(stack_.TcpFrame(i, kPort, tcp::kRst, {}));
    }
    stack_.Turn(burst_);
    stack_.Collect();
    ++resets_;
    for (uint32_t i = first; i < first + kBatch; ++i) stack_.Renew(i, resets_);
  }

  dataplane::DiscardApp discard_;
  StackHarness stack_;
  uint32_t connections_;  // a multiple of kBatch
  uint32_t closed_;
  uint32_t next_ = 0;
  uint32_t resets_ = 0;
  std::vector<Packet*> burst_;
};

// The first so many, into memory that the process has not touched yet: the
// kernel puts pages of zeros there one by one.
class EstablishFresh : public Scenario {
 public:
  explicit EstablishFresh(uint32_t connections) : connections_(connections) {
    Begin();
  }
  Sample Step() override {
    if (next_ == connections_) Begin();
    const double ns = stack_->Establish(kPort, next_, next_ + kBatch);
    next_ += kBatch;
    return {ns, kBatch};
  }

 private:
  void Begin() {
    stack_.reset();
    stack_ = std::make_unique<StackHarness>(
        StackOptions{.connections = connections_});
    const uint16_t app = stack_->pipeline().AddApplication(&discard_);
    stack_->pipeline().tcp().Listen(Ipv4Address(), kPort, app).IgnoreError();
    stack_->Introduce();
    next_ = 0;
  }

  dataplane::DiscardApp discard_;
  std::unique_ptr<StackHarness> stack_;
  uint32_t connections_;  // a multiple of kBatch
  uint32_t next_ = 0;
};

}  // namespace

std::unique_ptr<Scenario> MakeHttpKeepAlive(uint32_t connections) {
  return std::make_unique<HttpKeepAlive>(connections);
}

std::unique_ptr<Scenario> MakeHttpConnection() {
  return std::make_unique<HttpConnection>();
}

std::unique_ptr<Scenario> MakeEstablish(uint32_t connections) {
  return std::make_unique<Establish>(connections);
}

std::unique_ptr<Scenario> MakeEstablishFresh(uint32_t connections) {
  return std::make_unique<EstablishFresh>(connections);
}

}  // namespace corelane::bench
