// Which version of corelane this is.
#ifndef CORELANE_DATAPLANE_CLI_VERSION_H_
#define CORELANE_DATAPLANE_CLI_VERSION_H_

namespace corelane::cli {

// Of this program, "0.1.0".
const char* Version();

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_VERSION_H_
