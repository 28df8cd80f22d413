#include "dataplane/app/echo.h"

#include <algorithm>

namespace corelane::dataplane {
namespace {

// Between two services of this kind a datagram would bounce for ever: ports of
// other small services are not answered (RFC 4732 section 2.1.3).
bool IsSafeToAnswer(const UdpEndpoint& remote) {
  return remote.port != 0 && remote.port != 7 && remote.port != 13 &&
         remote.port != 17 && remote.port != 19;
}

void EchoBack(Connection connection) {
  // Received bytes that the send buffer has no room for stay in the receive
  // queue, which closes the window: the peer's own pace is the limit.
  while (connection.ReturnFront()) {
  }
  if (const ByteView front = connection.Front(); !front.empty()) {
    connection.Consume(connection.Send(front));
    return;
  }
  if (connection.at_end()) connection.Close();
}

}  // namespace

void EchoApp::OnConnections(std::span<ReadyConnection> ready, Time /*now*/) {
  for (ReadyConnection& r : ready) {
    if ((r.events & kGone) == 0) EchoBack(r.connection);
  }
}

void EchoApp::OnDatagrams(std::span<Datagram> datagrams, Time /*now*/) {
  for (Datagram& d : datagrams) {
    if (!IsSafeToAnswer(d.remote)) continue;
    d.socket.Return(d);
  }
}

void DiscardApp::OnConnections(std::span<ReadyConnection> ready, Time /*now*/) {
  for (ReadyConnection& r : ready) {
    if ((r.events & kGone) != 0) continue;
    r.connection.Consume(r.connection.readable());
    if (r.connection.at_end()) r.connection.Close();
  }
}

ChargenApp::ChargenApp() { WriteChargenText(text_, sizeof(text_)); }

void ChargenApp::OnConnections(std::span<ReadyConnection> ready, Time /*now*/) {
  for (ReadyConnection& r : ready) {
    if ((r.events & kGone) != 0) continue;
    Connection connection = r.connection;
    connection.Consume(connection.readable());
    if (connection.at_end()) {
      connection.Close();
      continue;
    }
    // app_data is where in the text the connection is.
    uint32_t at = connection.app_data();
    while (connection.send_space() > 0) {
      const uint32_t sent =
          connection.SendStatic({text_ + at, sizeof(text_) - at});
      if (sent == 0) break;
      at = static_cast<uint32_t>((at + sent) % sizeof(text_));
    }
    // Asks to be told when there is space again.
    connection.SendStatic({text_ + at, sizeof(text_) - at});
    connection.set_app_data(at);
  }
}

void ChargenApp::OnDatagrams(std::span<Datagram> datagrams, Time /*now*/) {
  for (Datagram& d : datagrams) {
    // No more than was asked with: no amplification.
    if (!IsSafeToAnswer(d.remote)) continue;
    const size_t n = std::min(d.payload.size(), sizeof(text_));
    d.socket.SendTo(d.remote, {text_, n}, d.local.address).IgnoreError();
  }
}

}  // namespace corelane::dataplane
