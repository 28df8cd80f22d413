#include "proto/http/date.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>

namespace corelane::http {
namespace {

constexpr int64_t kLastSecond = 253402300799;  // 9999-12-31T23:59:59Z
constexpr int64_t kSecondsPerDay = 86400;

void PutText(HttpDate& date, size_t at, std::string_view three_per_item,
             size_t item) {
  std::memcpy(date.text.data() + at, three_per_item.data() + 3 * item, 3);
}

void PutTwoDigits(HttpDate& date, size_t at, int64_t value) {
  date.text[at] = static_cast<char>('0' + value / 10);
  date.text[at + 1] = static_cast<char>('0' + value % 10);
}

}  // namespace

HttpDate FormatHttpDate(int64_t unix_seconds) {
  int64_t seconds = std::clamp(unix_seconds, int64_t{0}, kLastSecond);
  std::chrono::sys_days day{std::chrono::days(seconds / kSecondsPerDay)};
  std::chrono::year_month_day civil{day};
  int64_t year = static_cast<int>(civil.year());
  int64_t second = seconds % kSecondsPerDay;

  HttpDate date;
  constexpr std::string_view kTemplate = "Thu, 01 Jan 1970 00:00:00 GMT";
  static_assert(kTemplate.size() == std::tuple_size_v<decltype(date.text)>);
  std::memcpy(date.text.data(), kTemplate.data(), kTemplate.size());
  PutText(date, 0, "SunMonTueWedThuFriSat",
          std::chrono::weekday{day}.c_encoding());
  PutTwoDigits(date, 5, static_cast<unsigned>(civil.day()));
  PutText(date, 8, "JanFebMarAprMayJunJulAugSepOctNovDec",
          static_cast<unsigned>(civil.month()) - 1);
  PutTwoDigits(date, 12, year / 100);
  PutTwoDigits(date, 14, year % 100);
  PutTwoDigits(date, 17, second / 3600);
  PutTwoDigits(date, 20, second / 60 % 60);
  PutTwoDigits(date, 23, second % 60);
  return date;
}

}  // namespace corelane::http
