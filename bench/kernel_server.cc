// What scripts/bench compares with: the kernel's own TCP and UDP behind one
// epoll loop, as a careful programmer writes it. One thread.
//   corelane_kernel_server echo|discard|chargen|http ADDRESS PORT
// echo serves UDP as well; http answers every GET with 128 bytes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

enum class Service { kEcho, kDiscard, kChargen, kHttp };

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

// RFC 864's lines, once round.
std::string ChargenText() {
  std::string text;
  for (int line = 0; line < 95; ++line) {
    for (int i = 0; i < 72; ++i) {
      text += static_cast<char>(' ' + (line + i) % 95);
    }
    text += "\r\n";
  }
  return text;
}

class Server {
 public:
  Server(Service service, sockaddr_in address) : service_(service) {
    epoll_ = epoll_create1(0);
    listener_ = Bind(SOCK_STREAM, address);
    if (listen(listener_, 4096) != 0) Die("listen");
    Watch(listener_, EPOLLIN);
    if (service != Service::kEcho) return;
    datagrams_ = Bind(SOCK_DGRAM, address);
    Watch(datagrams_, EPOLLIN);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int n = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < n; ++i) {
        const int fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == listener_) {
          Accept();
        } else if (fd == datagrams_) {
          EchoDatagrams();
        } else {
          Serve(fd);
        }
      }
    }
  }

 private:
  static int Bind(int type, const sockaddr_in& address) {
    const int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
        0) {
      Die("bind");
    }
    return fd;
  }
  void Watch(int fd, uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) Die("epoll_ctl");
  }
  void Accept() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      Watch(fd, service_ == Service::kChargen ? EPOLLIN | EPOLLOUT | EPOLLET
                                              : static_cast<uint32_t>(EPOLLIN));
    }
  }
  void EchoDatagrams() {
    for (;;) {
      sockaddr_in from{};
      socklen_t length = sizeof from;
      const ssize_t n = recvfrom(datagrams_, buffer_.data(), buffer_.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &length);
      if (n < 0) return;
      sendto(datagrams_, buffer_.data(), static_cast<size_t>(n), 0,
             reinterpret_cast<sockaddr*>(&from), length);
    }
  }
  void End(int fd) {
    unsent_.erase(fd);
    close(fd);
  }
  void Serve(int fd) {
    if (service_ == Service::kChargen) {
      while (send(fd, text_.data(), text_.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(text_.size())) {
        continue;
      }
      // Lines cut off by a full buffer do not matter to who counts bytes.
      if (recv(fd, buffer_.data(), buffer_.size(), 0) == 0) End(fd);
      return;
    }
    // One read tells that there is no more where it brings less than fits.
    const ssize_t n = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      End(fd);
      return;
    }
    const std::string_view got(buffer_.data(), static_cast<size_t>(n));
    if (service_ == Service::kEcho) {
      SendAll(fd, got);
    } else if (service_ == Service::kHttp) {
      Answer(fd, got);
    }
  }
  // Clients of a benchmark read what they are sent: waiting is short.
  static bool SendAll(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) {
        bytes.remove_prefix(static_cast<size_t>(n));
      } else if (errno != EAGAIN && errno != EINTR) {
        return false;
      }
    }
    return true;
  }
  void Answer(int fd, std::string_view got) {
    std::string& request = unsent_[fd];
    request += got;
    for (size_t end; (end = request.find("\r\n\r\n")) != std::string::npos;) {
      const bool last = request.find("onnection: close") < end;
      request.erase(0, end + 4);
      if (!SendAll(fd, last ? closing_ : answer_) || last) {
        End(fd);
        return;
      }
    }
  }

  static std::string Response(const char* connection) {
    return std::string("HTTP/1.1 200 OK\r\nServer: epoll\r\n") + connection +
           "Content-Type: text/plain\r\nContent-Length: 128\r\n\r\n" +
           std::string(128, 'x');
  }

  Service service_;
  int epoll_ = -1;
  int listener_ = -1;
  int datagrams_ = -1;
  std::array<char, 256 * 1024> buffer_{};
  std::unordered_map<int, std::string> unsent_;  // beginnings of requests
  const std::string text_ = ChargenText();
  const std::string answer_ = Response("");
  const std::string closing_ = Response("Connection: close\r\n");
};

}  // namespace

int main(int argc, char** argv) {
  const std::unordered_map<std::string_view, Service> services = {
      {"echo", Service::kEcho},
      {"discard", Service::kDiscard},
      {"chargen", Service::kChargen},
      {"http", Service::kHttp}};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (argc != 4 || services.count(argv[1]) == 0 ||
      inet_pton(AF_INET, argv[2], &address.sin_addr) != 1 ||
      std::atoi(argv[3]) <= 0) {
    std::fprintf(stderr, "usage: %s echo|discard|chargen|http ADDRESS PORT\n",
                 argv[0]);
    return 2;
  }
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(argv[3])));
  auto* server = new Server(services.at(argv[1]), address);
  std::puts("ready");
  std::fflush(stdout);
  server->Run();
}
