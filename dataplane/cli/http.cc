// `corelane http`.
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dataplane/app/content.h"
#include "dataplane/app/http_app.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/flag_values.h"
#include "dataplane/cli/print_config.h"
#include "dataplane/cli/serve.h"
#include "dataplane/cli/server_flags.h"

namespace corelane::cli {
namespace {

using dataplane::Content;
using dataplane::HttpApp;
using dataplane::HttpConfig;

constexpr uint64_t kMib = uint64_t{1} << 20;
constexpr uint64_t kMostContentMib = 1u << 20;

struct HttpFlags {
  std::optional<std::string> body;
  std::optional<std::string> size;
  std::optional<std::string> root;
  std::optional<std::string> max_content;
  std::optional<std::string> idle_timeout;

  explicit HttpFlags(CommandLine& line) {
    line.AddValue("--body", body, "TEXT",
                  "Answer every path with this (default: a greeting)");
    line.AddValue("--size", size, "BYTES", "... or with so many bytes");
    line.AddValue("--root", root, "DIR",
                  "... or with the files of this folder, as they are now");
    line.AddValue("--max-content", max_content, "MIB",
                  "How much content may be held in memory");
    line.AddValue("--idle-timeout", idle_timeout, "TIME",
                  "Close connections without a request for so long (default: "
                  "60s)");
  }
};

absl::StatusOr<std::unique_ptr<Content>> Load(const HttpFlags& flags) {
  const int given = (flags.body.has_value() ? 1 : 0) +
                    (flags.size.has_value() ? 1 : 0) +
                    (flags.root.has_value() ? 1 : 0);
  if (given > 1) {
    return absl::InvalidArgumentError(
        "--body, --size and --root exclude each other; give one of them");
  }
  dataplane::ContentLimits limits;
  if (flags.max_content.has_value()) {
    auto mib = ParseNumber("--max-content", *flags.max_content, 1,
                           kMostContentMib, "MiB");
    if (!mib.ok()) return mib.status();
    limits.max_bytes = *mib * kMib;
  }
  if (flags.root.has_value()) return Content::FromFolder(*flags.root, limits);
  if (flags.size.has_value()) {
    auto size =
        ParseNumber("--size", *flags.size, 0, kMostContentMib * kMib, "bytes");
    if (!size.ok()) return size.status();
    return Content::FromSize(*size, limits);
  }
  return Content::FromText(flags.body.value_or("Hello from corelane.\n"),
                           limits);
}

absl::StatusOr<HttpConfig> Configure(const HttpFlags& flags,
                                     uint32_t max_connections) {
  HttpConfig config;
  // A session for each connection that is in the middle of something.
  config.max_sessions = max_connections;
  if (!flags.idle_timeout.has_value()) return config;
  auto timeout =
      ParseDuration("--idle-timeout", *flags.idle_timeout, 100ms, 1h);
  if (!timeout.ok()) return timeout.status();
  config.idle_timeout = *timeout;
  return config;
}

std::string Describe(const HttpFlags& flags, const Content& content) {
  if (flags.root.has_value()) {
    return absl::StrCat("http (", content.paths(), " paths of ", *flags.root,
                        ")");
  }
  return "http";
}

}  // namespace

int RunHttp(const Arguments& arguments) {
  CommandLine line("http", "Serve a fixed answer or a folder over HTTP/1.1.");
  const HttpFlags http(line);
  const ServerFlags flags(
      line, 80,
      "corelane http --dev tap,iface=cl0 --addr 10.77.0.2/24 --root ./site");
  if (auto code = line.Parse(arguments.flags)) return *code;
  absl::StatusOr<ServerOptions> options = flags.Understand(arguments.raw);
  if (!options.ok()) return line.Refuse(options.status().message());
  auto config = Configure(http, options->runtime.max_connections);
  if (!config.ok()) return line.Refuse(config.status().message());
  auto content = Load(http);
  if (!content.ok()) return line.Refuse(content.status().message());
  if (auto code = PrintConfig(line, *options)) return *code;

  Service service;
  service.name = Describe(http, **content);
  service.make = [&] {
    return std::make_unique<HttpApp>(*config, content->get());
  };
  service.set_wall_clock = [](dataplane::Application& app, int64_t zero) {
    static_cast<HttpApp&>(app).SetWallClock(zero);
  };
  return Serve(*options, service);
}

}  // namespace corelane::cli
