// "Did you mean": the valid name closest to what was typed.
#ifndef CORELANE_PMD_NEAREST_NAME_H_
#define CORELANE_PMD_NEAREST_NAME_H_

#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace corelane::pmd {

// The candidate with the smallest edit distance (a swap of neighbours is one
// edit), or empty if none is near enough to be meant.
absl::string_view NearestName(absl::string_view typed,
                              std::span<const absl::string_view> candidates);

// "; did you mean 'tap'?" or nothing.
std::string DidYouMean(absl::string_view typed,
                       std::span<const absl::string_view> candidates);

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_NEAREST_NAME_H_
