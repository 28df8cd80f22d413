// MAC and IPv4 addresses as types of their own, so that neither is mistaken
// for the other, for a port, or for a number in the wrong byte order.
#ifndef CORELANE_PROTO_BASE_ADDRESS_H_
#define CORELANE_PROTO_BASE_ADDRESS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace corelane {

struct MacAddress {
  std::array<uint8_t, 6> bytes{};

  static constexpr MacAddress Broadcast() {
    return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  }
  static MacAddress Load(const uint8_t* p) {
    MacAddress mac;
    std::memcpy(mac.bytes.data(), p, 6);
    return mac;
  }
  void Store(uint8_t* p) const { std::memcpy(p, bytes.data(), 6); }

  // The I/G bit (IEEE 802): group addresses, broadcast included.
  bool IsMulticast() const { return (bytes[0] & 1) != 0; }
  bool IsBroadcast() const { return *this == Broadcast(); }
  bool IsZero() const { return *this == MacAddress{}; }

  friend bool operator==(const MacAddress&, const MacAddress&) = default;
};

// An IPv4 address, held in host byte order so that prefixes are masks and
// ranges are comparisons.
class Ipv4Address {
 public:
  constexpr Ipv4Address() = default;
  constexpr explicit Ipv4Address(uint32_t host_order) : value_(host_order) {}
  constexpr Ipv4Address(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
      : value_(uint32_t{a} << 24 | uint32_t{b} << 16 | uint32_t{c} << 8 | d) {}

  constexpr uint32_t value() const { return value_; }

  constexpr bool IsAny() const { return value_ == 0; }  // 0.0.0.0
  constexpr bool IsBroadcast() const { return value_ == 0xffffffff; }
  constexpr bool IsMulticast() const { return value_ >> 28 == 0xe; }
  constexpr bool IsLoopback() const { return value_ >> 24 == 127; }
  // 240.0.0.0/4, reserved, with 255.255.255.255 in it.
  constexpr bool IsReserved() const { return value_ >> 28 == 0xf; }
  // "This network", 0.0.0.0/8 (RFC 1122 section 3.2.1.3).
  constexpr bool IsThisNetwork() const { return value_ >> 24 == 0; }
  constexpr bool IsLinkLocal() const { return value_ >> 16 == 0xa9fe; }
  // An address that one host may have and send from (RFC 1122 3.2.1.3).
  constexpr bool IsUnicastHost() const {
    return !IsThisNetwork() && !IsLoopback() && !IsMulticast() && !IsReserved();
  }

  friend constexpr auto operator<=>(Ipv4Address, Ipv4Address) = default;

 private:
  uint32_t value_ = 0;
};

// An address together with the length of its network's prefix: "10.77.0.2/24".
struct Ipv4Prefix {
  Ipv4Address address;
  uint8_t length = 32;  // 0..32

  constexpr uint32_t Mask() const {
    return length == 0 ? 0 : ~uint32_t{0} << (32 - length);
  }
  constexpr Ipv4Address Network() const {
    return Ipv4Address(address.value() & Mask());
  }
  // The all-ones host address; there is none for /31 (RFC 3021) and /32.
  constexpr std::optional<Ipv4Address> DirectedBroadcast() const {
    if (length >= 31) return std::nullopt;
    return Ipv4Address(address.value() | ~Mask());
  }
  constexpr bool Contains(Ipv4Address a) const {
    return (a.value() & Mask()) == (address.value() & Mask());
  }
  friend constexpr bool operator==(const Ipv4Prefix&,
                                   const Ipv4Prefix&) = default;
};

// Text forms. Parsers accept the whole string or nothing: no leading or
// trailing characters, no shortened forms, no leading zeros.
std::string ToString(const MacAddress& mac);     // "02:00:5e:00:00:01"
std::string ToString(Ipv4Address address);       // "10.77.0.2"
std::string ToString(const Ipv4Prefix& prefix);  // "10.77.0.2/24"
std::optional<MacAddress> ParseMac(std::string_view text);
std::optional<Ipv4Address> ParseIpv4(std::string_view text);
// Needs the "/length"; host bits may be set.
std::optional<Ipv4Prefix> ParseIpv4Prefix(std::string_view text);

}  // namespace corelane

#endif  // CORELANE_PROTO_BASE_ADDRESS_H_
