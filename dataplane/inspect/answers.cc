#include "dataplane/inspect/answers.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "dataplane/inspect/core_report.h"
#include "dataplane/inspect/reports.h"
#include "dataplane/inspect/sockets.h"
#include "dataplane/inspect/telemetry.h"

namespace corelane::inspect {
namespace {

using dataplane::Pipeline;
using runtime::Runtime;

// A list goes through the cores in turn: a cursor is (core, place in it).
constexpr uint32_t kCoreShift = 48;
constexpr Cursor kPlaceMask = (Cursor{1} << kCoreShift) - 1;
constexpr uint32_t kNeighborsScanned = 1024;
// How long one reply may be worked on: other clients wait for it.
constexpr std::chrono::milliseconds kPatience{50};

absl::StatusOr<Cursor> ParseCursor(const Parameters& parameters) {
  Cursor cursor = 0;
  if (parameters.empty()) return cursor;
  if (parameters[0].find_first_not_of("0123456789") != std::string::npos ||
      !absl::SimpleAtoi(parameters[0], &cursor)) {
    return absl::InvalidArgumentError(
        "the parameter is a cursor, from an earlier reply's 'next'");
  }
  return cursor;
}

Json ListReport(const Json& rows, const std::optional<uint64_t>& next) {
  Json report = Json::object();
  size_t number = 0;
  for (const Json& row : rows) report[absl::StrCat(number++)] = row;
  if (next.has_value()) report["next"] = *next;
  return report;
}

// Has a core's loop run `read`.
template <typename Read>
absl::Status OnCore(Runtime& runtime, uint32_t core, const Read& read) {
  return runtime.core(core).mailbox().Call(
      [&](Pipeline& pipeline) { read(pipeline); }, kAnswerTimeout);
}

// Adds the numbers of a report to those of another of the same shape.
void Add(const Json& report, Json& sum) {
  for (const auto& [name, value] : report.items()) {
    if (value.is_object()) {
      Add(value, sum[name]);
    } else if (value.is_number_unsigned() && sum.contains(name)) {
      sum[name] = sum[name].get<uint64_t>() + value.get<uint64_t>();
    } else {
      sum[name] = value;
    }
  }
}

struct Sockets {
  std::vector<std::pair<uint32_t, SocketRecord>> rows;  // with their core
  std::optional<Cursor> next;
};

// Listeners and UDP sockets mostly are on every core alike: the first that has
// one shows it, with what waits at all of them.
absl::Status MergeCores(Runtime& runtime, uint32_t core,
                        std::vector<SocketRecord>& rows) {
  auto shared = [](const SocketRecord& r) { return !r.has_control; };
  for (uint32_t other = 0; other < runtime.cores(); ++other) {
    if (other == core || std::none_of(rows.begin(), rows.end(), shared)) {
      continue;
    }
    absl::Status s = OnCore(runtime, other, [&](Pipeline& pipeline) {
      MergeShared(pipeline, /*keep=*/other > core, rows);
    });
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

// Reads slice after slice until there are `limit` rows. Between two slices of a
// core its loop turns at least once.
absl::Status Gather(Runtime& runtime, Cursor cursor, const SocketFilter& filter,
                    size_t limit, Sockets& out) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  std::vector<SocketRecord> best;
  auto core = static_cast<uint32_t>(cursor >> kCoreShift);
  Cursor place = cursor & kPlaceMask;
  while (core < runtime.cores()) {
    if (std::chrono::steady_clock::now() > give_up ||
        (filter.top == 0 && out.rows.size() == limit)) {
      out.next = Cursor{core} << kCoreShift | place;
      return absl::OkStatus();
    }
    SocketPage page;
    PageLimits limits;
    limits.rows = limit - out.rows.size();
    if (absl::Status s = OnCore(runtime, core,
                                [&](Pipeline& pipeline) {
                                  page = ReadSockets(pipeline, place, limits,
                                                     filter);
                                });
        !s.ok()) {
      return s;
    }
    if (absl::Status s = MergeCores(runtime, core, page.rows); !s.ok()) {
      return s;
    }
    for (const SocketRecord& record : page.rows) {
      out.rows.emplace_back(core, record);
    }
    if (page.next.has_value()) {
      place = *page.next;
      continue;
    }
    ++core;
    place = 0;
  }
  return absl::OkStatus();
}

// Of all slices' best, the best.
void Shorten(const SocketFilter& filter, Sockets& sockets) {
  std::sort(sockets.rows.begin(), sockets.rows.end(),
            [&](const auto& a, const auto& b) {
              return TopValue(a.second, filter.by) >
                     TopValue(b.second, filter.by);
            });
  if (sockets.rows.size() > filter.top) sockets.rows.resize(filter.top);
}

}  // namespace

absl::StatusOr<Json> AnswerNetstat(Runtime& runtime,
                                   const Parameters& parameters) {
  const absl::StatusOr<Cursor> cursor = ParseCursor(parameters);
  if (!cursor.ok()) return cursor.status();
  bool wide = false;
  SocketFilter filter;
  for (size_t i = 1; i < parameters.size(); ++i) {
    if (parameters[i] == "wide") {
      wide = true;
    } else if (absl::Status s = ParseFilterParameter(parameters[i], filter);
               !s.ok()) {
      return s;
    }
  }
  Sockets sockets;
  const size_t limit = wide || filter.top > 0 ? kWideSocketRows : kSocketRows;
  if (absl::Status s = Gather(runtime, *cursor, filter, limit, sockets);
      !s.ok()) {
    return s;
  }
  if (filter.top > 0) Shorten(filter, sockets);
  Json rows = Json::array();
  for (const auto& [core, record] : sockets.rows) {
    SocketRow row = ToRow(record);
    row.core = core;
    rows.push_back(ToJson(row, wide));
  }
  return ListReport(rows, sockets.next);
}

absl::StatusOr<Json> AnswerStats(Runtime& runtime,
                                 const Parameters& parameters) {
  uint32_t first = 0;
  uint32_t end = runtime.cores();
  if (!parameters.empty()) {
    if (!absl::SimpleAtoi(parameters[0], &first) || first >= end) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the parameter is a core's number, from 0 to ", runtime.cores() - 1));
    }
    end = first + 1;
  }
  Json sum = Json::object();
  for (uint32_t core = first; core < end; ++core) {
    Json report;
    if (absl::Status s =
            OnCore(runtime, core,
                   [&](Pipeline& pipeline) { report = StatsReport(pipeline); });
        !s.ok()) {
      return s;
    }
    Add(report, sum);
  }
  return sum;
}

absl::StatusOr<Json> AnswerCores(Runtime& runtime,
                                 const Parameters& parameters) {
  const absl::StatusOr<Cursor> cursor = ParseCursor(parameters);
  if (!cursor.ok()) return cursor.status();
  constexpr size_t kCoresPerReply = 4;
  Json rows = Json::array();
  std::optional<Cursor> next;
  for (auto i = static_cast<uint32_t>(*cursor); i < runtime.cores(); ++i) {
    if (rows.size() == kCoresPerReply) {
      next = i;
      break;
    }
    Json report;
    runtime::CoreLoop& core = runtime.core(i);
    if (absl::Status s = OnCore(runtime, i,
                                [&](Pipeline& pipeline) {
                                  report = CoreReport(pipeline, core.load());
                                });
        !s.ok()) {
      return s;
    }
    report["core"] = i;
    rows.push_back(std::move(report));
  }
  return ListReport(rows, next);
}

absl::StatusOr<Json> AnswerPorts(Runtime& runtime,
                                 const Parameters& /*parameters*/) {
  Json rows = Json::array();
  for (size_t i = 0; i < runtime.ports().size(); ++i) {
    std::string vlans;
    // Which interfaces there are does not change.
    for (const auto& interface : runtime.core(0).pipeline().interfaces()) {
      if (interface.config.device != i) continue;
      absl::StrAppend(&vlans, vlans.empty() ? "" : " ", interface.config.vlan);
    }
    rows.push_back(
        PortReport(*runtime.ports()[i], runtime.spread()[i].text, vlans));
  }
  return ListReport(rows, std::nullopt);
}

absl::StatusOr<Json> AnswerArp(Runtime& runtime, const Parameters& parameters) {
  const absl::StatusOr<Cursor> cursor = ParseCursor(parameters);
  if (!cursor.ok()) return cursor.status();
  const auto core = static_cast<uint32_t>(*cursor >> kCoreShift);
  if (core >= runtime.cores()) return ListReport(Json::array(), std::nullopt);
  ListPage page;
  if (absl::Status s = OnCore(runtime, core,
                              [&](Pipeline& pipeline) {
                                page = ReadNeighbors(
                                    pipeline, *cursor & kPlaceMask, kListRows,
                                    kNeighborsScanned);
                              });
      !s.ok()) {
    return s;
  }
  if (page.next.has_value()) {
    page.next = Cursor{core} << kCoreShift | *page.next;
  } else if (core + 1 < runtime.cores()) {
    page.next = Cursor{core + 1} << kCoreShift;
  }
  return ListReport(page.rows, page.next);
}

// All cores have the same routes.
absl::StatusOr<Json> AnswerRoute(Runtime& runtime,
                                 const Parameters& parameters) {
  const absl::StatusOr<Cursor> cursor = ParseCursor(parameters);
  if (!cursor.ok()) return cursor.status();
  ListPage page;
  if (absl::Status s = OnCore(runtime, 0,
                              [&](Pipeline& pipeline) {
                                page = ReadRoutes(pipeline, *cursor, kListRows);
                              });
      !s.ok()) {
    return s;
  }
  return ListReport(page.rows, page.next);
}

}  // namespace corelane::inspect
