#include "tests/sim/datagram_app.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/icmp/message.h"

namespace corelane::sim {
namespace {

using dataplane::Datagram;

// Streams of datagrams and pings, apart from the connections' numbers.
constexpr uint32_t kUdpStream = 0x40000000;
constexpr uint32_t kPingStream = 0x50000000;

void AppendStream(const StreamBytes& stream, size_t length,
                  std::vector<uint8_t>& out) {
  for (size_t at = 0; at < length;) {
    const ByteView run = stream.At(at, length - at);
    out.insert(out.end(), run.begin(), run.end());
    at += run.size();
  }
}

}  // namespace

void UdpEchoServer::OnConnections(std::span<dataplane::ReadyConnection>, Time) {
}

void UdpEchoServer::OnDatagrams(std::span<Datagram> datagrams, Time) {
  for (Datagram& d : datagrams) {
    if (d.packet != nullptr && rng_.ChancePpm(500'000)) {
      d.socket.SendPacketTo(d.remote, d.Take(), d.local.address);
    } else {
      // Fails when there is no packet left; the client finds out.
      (void)d.socket.SendTo(d.remote, d.payload, d.local.address);
    }
  }
}

void UdpClient::OnConnections(std::span<dataplane::ReadyConnection>, Time) {}

void UdpClient::Send(const dataplane::UdpEndpoint& to, uint32_t size) {
  std::vector<uint8_t> payload(4);
  StoreBe32(payload.data(), sent());
  AppendStream(StreamBytes(seed_, kUdpStream + sent(), 0), size - 4, payload);
  sizes_.push_back(size);
  seen_.push_back(false);
  // Whether it went out shows in the answers.
  (void)socket_.SendTo(to, payload);
}

void UdpClient::OnDatagrams(std::span<Datagram> datagrams, Time) {
  for (const Datagram& d : datagrams) {
    const ByteView bytes = d.payload;
    const uint32_t number = bytes.size() < 4 ? sent() : LoadBe32(bytes.data());
    if (number >= sent() || bytes.size() != sizes_[number] ||
        !StreamBytes(seed_, kUdpStream + number, 0)
             .Matches(0, bytes.subspan(4))) {
      failure_ = absl::StrCat("a datagram of ", bytes.size(),
                              " bytes that was not sent, number ", number);
      return;
    }
    if (seen_[number]) continue;  // the wire may have doubled it
    seen_[number] = true;
    ++answered_;
  }
}

void UdpClient::OnDatagramError(const dataplane::DatagramError&) { ++errors_; }

Frame Pinger::Next(uint32_t size) {
  const auto sequence = static_cast<uint16_t>(sent_++);
  std::vector<uint8_t> message(icmp::kHeaderLength);
  AppendStream(StreamBytes(seed_, kPingStream + sequence, 0), size, message);
  icmp::WriteEchoRequest(message, kIdentifier, sequence);
  return IcmpFrame(ends_, std::move(message));
}

bool Pinger::Saw(ByteView frame) {
  const ParsedFrame f = ParseFrame(frame);
  // A damaged frame says nothing about the host.
  if (!f.is_icmp || CheckFrame(frame, 65535) != nullptr) return false;
  icmp::Message message;
  if (icmp::Parse(f.payload, true, message) != icmp::ParseStatus::kOk ||
      message.type != icmp::kEchoReply || message.identifier() != kIdentifier) {
    return false;
  }
  if (f.ip.source != ends_.destination || f.ip.destination != ends_.source ||
      !StreamBytes(seed_, kPingStream + message.sequence(), 0)
           .Matches(0, message.body)) {
    failure_ = "a ping was answered wrongly";
  }
  ++answered_;
  return true;
}

}  // namespace corelane::sim
