#include "dataplane/pipeline/drop_reason.h"

namespace corelane::dataplane {
namespace {

struct Description {
  const char* name;
  const char* text;
};

constexpr Description kDescriptions[] = {
#define X(id, name, text) {name, text},
    CORELANE_DROP_REASONS(X)
#undef X
};

}  // namespace

const char* DropReasonName(DropReason reason) {
  return kDescriptions[static_cast<size_t>(reason)].name;
}

const char* DropReasonText(DropReason reason) {
  return kDescriptions[static_cast<size_t>(reason)].text;
}

}  // namespace corelane::dataplane
