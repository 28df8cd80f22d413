#include "pmd/nearest_name.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"

namespace corelane::pmd {
namespace {

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

absl::string_view NearestName(absl::string_view typed,
                              std::span<const absl::string_view> candidates) {
  // A third of the letters wrong is still a slip; more is another word.
  size_t best = std::max<size_t>(1, (typed.size() + 1) / 3) + 1;
  absl::string_view nearest;
  for (const absl::string_view candidate : candidates) {
    const size_t distance = EditDistance(typed, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(absl::string_view typed,
                       std::span<const absl::string_view> candidates) {
  const absl::string_view nearest = NearestName(typed, candidates);
  if (nearest.empty()) return "";
  return absl::StrCat("; did you mean '", nearest, "'?");
}

}  // namespace corelane::pmd
