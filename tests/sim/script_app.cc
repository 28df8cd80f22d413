#include "tests/sim/script_app.h"

#include <algorithm>
#include <vector>

namespace corelane::sim {

using dataplane::Connection;

void ScriptApp::OnConnections(std::span<dataplane::ReadyConnection> ready,
                              Time /*now*/) {
  for (const dataplane::ReadyConnection& r : ready) {
    events_ |= r.events;
    if ((r.events & dataplane::kGone) != 0) {
      gone_ = true;
      error_ = r.connection.error();
      continue;
    }
    if ((r.events & dataplane::kOpened) != 0) connection_ = r.connection;
    if (echo_) Echo(r.connection);
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
    if (echo_) (void)d.socket.SendTo(d.remote, d.payload, d.local.address);
  }
}

void ScriptApp::OnDatagramError(const dataplane::DatagramError&) {
  ++datagram_errors_;
}

uint32_t ScriptApp::Send(uint32_t n) {
  std::vector<uint8_t> bytes(n);
  for (uint32_t i = 0; i < n; ++i) bytes[i] = ScriptByte(sent_ + i);
  const uint32_t taken = connection_.Send(bytes);
  sent_ += taken;
  return taken;
}

bool ScriptApp::Read(uint32_t n) {
  if (connection_.readable() < n) return false;
  while (n > 0) {
    const ByteView front = connection_.Front();
    const auto k = static_cast<uint32_t>(std::min<size_t>(n, front.size()));
    for (uint32_t i = 0; i < k; ++i) {
      if (front[i] != ScriptByte(received_ + i)) return false;
    }
    received_ += k;
    n -= k;
    connection_.Consume(k);
  }
  return true;
}

std::string ScriptApp::TakeEvents() {
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
    if ((events_ & bit) == 0) continue;
    if (!text.empty()) text += ' ';
    text += name;
  }
  events_ = 0;
  return text;
}

}  // namespace corelane::sim
