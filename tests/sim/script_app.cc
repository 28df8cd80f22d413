#include "tests/sim/script_app.h"

#include <algorithm>
#include <vector>

namespace corelane::sim {

using dataplane::Connection;

void ScriptApp::OnConnections(std::span<dataplane::ReadyConnection> ready,
                              Time /*now*/) {
  for (const dataplane::ReadyConnection& r : ready) {
    const tcp::FlowKey& key = r.connection.key();
    Stream& s = streams_[{key.remote_address, key.remote_port, key.local_port}];
    if ((r.events & dataplane::kOpened) != 0 && !s.open) s = Stream{};
    s.events |= r.events;
    if ((r.events & dataplane::kGone) != 0) {
      s.open = false;
      s.gone = true;
      s.error = r.connection.error();
      continue;
    }
    s.connection = r.connection;
    s.open = true;
    if (reading_ == Reading::kEcho) Echo(r.connection);
    if (reading_ == Reading::kSink) (void)Read(s, s.connection.readable());
  }
}

void ScriptApp::Echo(Connection c) {
  while (dataplane::Packet* packet = c.TakeFront()) {
    if (c.SendPacket(packet)) continue;
    c.FreePacket(packet);
    c.Abort();
    return;
  }
  if (c.at_end()) c.Close();
}

void ScriptApp::OnDatagrams(std::span<dataplane::Datagram> datagrams,
                            Time /*now*/) {
  for (dataplane::Datagram& d : datagrams) {
    ++datagrams_;
    if (reading_ == Reading::kEcho)
      (void)d.socket.SendTo(d.remote, d.payload, d.local.address);
  }
}

void ScriptApp::OnDatagramError(const dataplane::DatagramError&) {
  ++datagram_errors_;
}

uint32_t ScriptApp::Send(Stream& stream, uint32_t n) {
  std::vector<uint8_t> bytes(n);
  for (uint32_t i = 0; i < n; ++i) bytes[i] = ScriptByte(stream.sent + i);
  const uint32_t taken = stream.connection.Send(bytes);
  stream.sent += taken;
  return taken;
}

bool ScriptApp::Read(Stream& stream, uint32_t n) {
  Connection c = stream.connection;
  if (c.readable() < n) return false;
  while (n > 0) {
    const ByteView front = c.Front();
    const auto k = static_cast<uint32_t>(std::min<size_t>(n, front.size()));
    for (uint32_t i = 0; i < k; ++i) {
      if (front[i] != ScriptByte(stream.received + i)) return false;
    }
    stream.received += k;
    n -= k;
    c.Consume(k);
  }
  return true;
}

std::string ScriptApp::TakeEvents(Stream& stream) {
  static constexpr struct {
    uint8_t bit;
    const char* name;
  } kNames[] = {
      {dataplane::kOpened, "opened"},     {dataplane::kReadable, "readable"},
      {dataplane::kWritable, "writable"}, {dataplane::kPeerClosed, "closed"},
      {dataplane::kTimer, "timer"},       {dataplane::kGone, "gone"},
  };
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if ((stream.events & bit) == 0) continue;
    if (!text.empty()) text += ' ';
    text += name;
  }
  stream.events = 0;
  return text;
}

}  // namespace corelane::sim
