// What chargen sends: the lines that RFC 864 proposes, one after the other.
#ifndef CORELANE_DATAPLANE_APP_CHARGEN_TEXT_H_
#define CORELANE_DATAPLANE_APP_CHARGEN_TEXT_H_

#include <cstddef>
#include <cstdint>

namespace corelane::dataplane {

inline constexpr size_t kChargenLine = 74;  // 72 characters, CR, LF
// After so many bytes it begins again.
inline constexpr size_t kChargenPeriod = 95 * kChargenLine;

// Writes the first `n` bytes of it.
inline void WriteChargenText(uint8_t* out, size_t n) {
  for (size_t at = 0; at < n; ++at) {
    const size_t column = at % kChargenLine;
    const size_t line = at / kChargenLine % 95;
    out[at] = column == 72   ? '\r'
              : column == 73 ? '\n'
                             : static_cast<uint8_t>(' ' + (line + column) % 95);
  }
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_APP_CHARGEN_TEXT_H_
