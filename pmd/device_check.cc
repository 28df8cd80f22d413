#include "pmd/device_check.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace corelane::pmd {
namespace {

absl::Status Fail(const DeviceSpec& spec, absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("--dev ", spec.text, ": ", what));
}

bool HasCapability(int capability) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return geteuid() == 0;
  const uint32_t word = data[CAP_TO_INDEX(capability)].effective;
  return (word & CAP_TO_MASK(capability)) != 0;
}

absl::Status CheckCapability(const DeviceSpec& spec, int capability,
                             absl::string_view name) {
  if (HasCapability(capability)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "--dev ", spec.text, ": needs ", name, "; run as root, or once: setcap ",
      name, "+ep on this program"));
}

absl::Status CheckTap(const DeviceSpec& spec) {
  const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENODEV || error == ENXIO) {
      return Fail(spec,
                  "/dev/net/tun is missing; run: modprobe tun (in a "
                  "container: pass --device /dev/net/tun)");
    }
    return Fail(spec,
                absl::StrCat("cannot open /dev/net/tun (", std::strerror(error),
                             "); run as root or let this user write it"));
  }
  close(fd);
  if (absl::Status status =
          CheckCapability(spec, CAP_NET_ADMIN, "cap_net_admin");
      !status.ok()) {
    return status;
  }
  if (if_nametoindex(spec.interface.c_str()) != 0) {
    return absl::AlreadyExistsError(absl::StrCat(
        "--dev ", spec.text, ": interface ", spec.interface,
        " already exists; choose another name with tap,iface=NAME, or remove "
        "it: ip link del ",
        spec.interface));
  }
  return absl::OkStatus();
}

absl::Status CheckBorrowedInterface(const DeviceSpec& spec) {
  if (if_nametoindex(spec.interface.c_str()) == 0) {
    return absl::NotFoundError(absl::StrCat(
        "--dev ", spec.text, ": there is no interface ", spec.interface,
        " here; ip link lists those of this network namespace"));
  }
  return CheckCapability(spec, CAP_NET_RAW, "cap_net_raw");
}

enum class SocketState { kAbsent, kStale, kLive, kNoSocket, kForbidden };

// Looks at a path without talking to whoever listens there.
SocketState StateOf(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return SocketState::kAbsent;
  if (!S_ISSOCK(info.st_mode)) return SocketState::kNoSocket;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(),
              std::min(path.size(), sizeof(address.sun_path) - 1));
  // memif's sockets keep message boundaries, vhost's do not; a listener of the
  // other type answers EPROTOTYPE, which is a sign of life too.
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return SocketState::kAbsent;
  const int result =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = result == 0 ? 0 : errno;
  close(fd);
  if (error == ECONNREFUSED) return SocketState::kStale;
  if (error == EACCES || error == EPERM) return SocketState::kForbidden;
  return SocketState::kLive;
}

absl::Status CheckSocket(const DeviceSpec& spec) {
  // No file to look at in the abstract name space.
  if (spec.socket[0] == '@') return absl::OkStatus();
  const size_t slash = spec.socket.rfind('/');
  const std::string directory =
      slash == std::string::npos ? "." : spec.socket.substr(0, slash + 1);
  if (access(directory.c_str(), X_OK) != 0) {
    return Fail(spec, absl::StrCat("the socket's directory ", directory,
                                   " cannot be used (", std::strerror(errno),
                                   "); run: mkdir -p ", directory));
  }
  const SocketState state = StateOf(spec.socket);
  if (state == SocketState::kNoSocket) {
    return Fail(spec, absl::StrCat(spec.socket,
                                   " exists and is no socket; choose another "
                                   "socket=PATH"));
  }
  if (state == SocketState::kForbidden) {
    return absl::PermissionDeniedError(
        absl::StrCat("--dev ", spec.text, ": this user may not connect to ",
                     spec.socket, "; run both ends as the same user"));
  }
  if (spec.socket_server) {
    if (state == SocketState::kLive) {
      return absl::AlreadyExistsError(absl::StrCat(
          "--dev ", spec.text, ": another process already serves ", spec.socket,
          "; use role=client to join it, or another socket=PATH"));
    }
    // A dead server's file would make the driver's bind fail.
    if (state == SocketState::kStale && spec.kind != DeviceKind::kMemif) {
      return Fail(spec, absl::StrCat("a dead process left ", spec.socket,
                                     " behind; run: rm ", spec.socket));
    }
    return absl::OkStatus();
  }
  // vhost's client waits for a server; the others give up at once.
  if (spec.kind != DeviceKind::kVhost && state != SocketState::kLive) {
    return absl::NotFoundError(
        absl::StrCat("--dev ", spec.text, ": nobody serves ", spec.socket,
                     "; start the server first, or use role=server here"));
  }
  return absl::OkStatus();
}

absl::Status CheckPcap(const DeviceSpec& spec) {
  if (!spec.interface.empty()) return CheckBorrowedInterface(spec);
  if (access(spec.input_file.c_str(), R_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("--dev ", spec.text,
                                            ": cannot read ", spec.input_file,
                                            " (", std::strerror(errno), ")"));
  }
  return absl::OkStatus();
}

absl::Status CheckPci(const DeviceSpec& spec) {
  const std::string directory =
      absl::StrCat("/sys/bus/pci/devices/", spec.name);
  if (access(directory.c_str(), F_OK) != 0) {
    return absl::NotFoundError(
        absl::StrCat("--dev ", spec.text, ": there is no PCI device ",
                     spec.name, "; lspci -D lists them"));
  }
  char link[256];
  const ssize_t length =
      readlink(absl::StrCat(directory, "/driver").c_str(), link, sizeof(link));
  const absl::string_view target(link,
                                 length > 0 ? static_cast<size_t>(length) : 0);
  const absl::string_view driver = target.substr(target.rfind('/') + 1);
  // These stay with their kernel driver; DPDK works beside it.
  const bool bifurcated = driver.substr(0, 3) == "mlx" || driver == "mana";
  if (driver == "vfio-pci" || driver == "uio_pci_generic" ||
      driver == "igb_uio" || bifurcated) {
    return absl::OkStatus();
  }
  return Fail(
      spec, absl::StrCat("it belongs to ",
                         driver.empty() ? "no driver" : "the kernel's driver ",
                         driver, "; run: dpdk-devbind.py --bind=vfio-pci ",
                         spec.name));
}

}  // namespace

absl::Status CheckDevice(const DeviceSpec& spec) {
  switch (spec.kind) {
    case DeviceKind::kTap:
      return CheckTap(spec);
    case DeviceKind::kAfPacket:
    case DeviceKind::kAfXdp:
      return CheckBorrowedInterface(spec);
    case DeviceKind::kMemif:
    case DeviceKind::kVhost:
    case DeviceKind::kVirtioUser:
      return CheckSocket(spec);
    case DeviceKind::kPcap:
      return CheckPcap(spec);
    case DeviceKind::kPci:
      return CheckPci(spec);
    case DeviceKind::kNull:
    case DeviceKind::kRing:
      break;
  }
  return absl::OkStatus();
}

}  // namespace corelane::pmd
