// Lines for the person who started the program, on stderr.
#ifndef CORELANE_DATAPLANE_RUNTIME_LOG_H_
#define CORELANE_DATAPLANE_RUNTIME_LOG_H_

#include "absl/strings/string_view.h"

namespace corelane::runtime {

// What goes on. Nothing is written when quiet.
void LogInfo(absl::string_view line);
// What somebody has to do something about.
void LogError(absl::string_view line);
void SetQuiet(bool quiet);

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_LOG_H_
