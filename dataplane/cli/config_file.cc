#include "dataplane/cli/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace corelane::cli {
namespace {

constexpr uintmax_t kLargestFile = uintmax_t{1} << 20;

absl::Status At(const std::string& path, uint32_t line,
                absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ":", line, ": ", what));
}

std::optional<std::string> Scalar(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) {
    return absl::StrCat(number->get());
  }
  return std::nullopt;
}

absl::StatusOr<ConfigEntry> EntryOf(const toml::key& key,
                                    const toml::node& node,
                                    const std::string& path) {
  ConfigEntry entry;
  entry.key = std::string(key.str());
  entry.line = key.source().begin.line;
  if (const auto* on = node.as_boolean()) {
    entry.kind = ConfigEntry::Kind::kSwitch;
    entry.on = on->get();
    return entry;
  }
  if (auto text = Scalar(node); text.has_value()) {
    entry.values.push_back(*std::move(text));
    return entry;
  }
  const absl::Status bad =
      At(path, entry.line,
         absl::StrCat(entry.key,
                      ": a value is text in quotes, a whole number, true or "
                      "false, or a list of such"));
  const auto* list = node.as_array();
  if (list == nullptr) return bad;
  entry.kind = ConfigEntry::Kind::kList;
  for (const toml::node& element : *list) {
    auto text = Scalar(element);
    if (!text.has_value()) return bad;
    entry.values.push_back(*std::move(text));
  }
  return entry;
}

}  // namespace

absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(const std::string& text,
                                                     const std::string& path) {
  try {
    const toml::table table = toml::parse(text, path);
    std::vector<ConfigEntry> entries;
    for (const auto& [key, node] : table) {
      auto entry = EntryOf(key, node, path);
      if (!entry.ok()) return entry.status();
      entries.push_back(*std::move(entry));
    }
    // toml++ sorts by key; complaints come in the file's order.
    std::stable_sort(entries.begin(), entries.end(),
                     [](const ConfigEntry& a, const ConfigEntry& b) {
                       return a.line < b.line;
                     });
    return entries;
  } catch (const toml::parse_error& error) {
    return At(path, error.source().begin.line,
              std::string(error.description()));
  }
}

absl::StatusOr<std::vector<ConfigEntry>> ReadConfigFile(
    const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--config ", path.empty() ? "''" : path,
                     error ? absl::StrCat(": ", error.message())
                           : std::string(": this is no file")));
  }
  if (std::filesystem::file_size(path, error) > kLargestFile || error) {
    return absl::InvalidArgumentError(
        absl::StrCat("--config ", path,
                     ": larger than 1 MiB; is it the right "
                     "file?"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("--config ", path, ": ", std::strerror(errno)));
  }
  const std::string text{std::istreambuf_iterator<char>(file),
                         std::istreambuf_iterator<char>()};
  return ParseConfig(text, path);
}

std::string QuoteToml(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      absl::StrAppendFormat(&quoted, "\\u%04x", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  return quoted;
}

}  // namespace corelane::cli
