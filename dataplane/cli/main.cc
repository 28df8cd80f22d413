// The `corelane` program.
#include <exception>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/commands.h"
#include "dataplane/runtime/log.h"

int main(int argc, char** argv) {
  try {
    return corelane::cli::RunProgram(
        std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& error) {
    corelane::runtime::LogError(absl::StrCat("failed: ", error.what()));
    return corelane::cli::kExitFailed;
  }
}
