// The half of CommandLine that deals with configuration files.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/command_line.h"
#include "pmd/nearest_name.h"

namespace corelane::cli {

void CommandLine::AddConfig() {
  AddValue("--config", config_, "FILE",
           "Read flags from this TOML file, such as port = 8080; those given "
           "here win");
  AddSwitch("--print-config", print_config_,
            "Print the configuration as such a file, with what is left at its "
            "default, and exit");
}

std::optional<int> CommandLine::ApplyConfig() {
  if (!config_.has_value()) return std::nullopt;
  const auto entries = ReadConfigFile(*config_);
  if (!entries.ok()) return Refuse(entries.status().message());
  for (const ConfigEntry& entry : *entries) {
    const absl::Status s = Apply(entry);
    if (s.ok()) continue;
    return Refuse(absl::StrCat(*config_, ":", entry.line, ": ", s.message()));
  }
  return std::nullopt;
}

absl::Status CommandLine::Apply(const ConfigEntry& entry) {
  const std::string& key = entry.key;
  const auto flag = std::find_if(flags_.begin(), flags_.end(),
                                 [&](const Flag& f) { return f.name == key; });
  if (flag == flags_.end() || key == "config" || key == "print-config") {
    std::vector<absl::string_view> names;
    for (const Flag& f : flags_) {
      if (f.name != "config" && f.name != "print-config") {
        names.emplace_back(f.name);
      }
    }
    return absl::InvalidArgumentError(
        absl::StrCat("unknown key '", key, "'", pmd::DidYouMean(key, names)));
  }
  const bool is_switch = entry.kind == ConfigEntry::Kind::kSwitch;
  if ((flag->on != nullptr) != is_switch) {
    return absl::InvalidArgumentError(absl::StrCat(
        key, is_switch ? " needs a value" : " is either true or false"));
  }
  // What was typed wins.
  if (app_->count(absl::StrCat("--", key)) > 0) return absl::OkStatus();
  flag->line = entry.line;
  if (is_switch) {
    *flag->on = entry.on;
  } else if (flag->values != nullptr) {
    *flag->values = entry.values;
  } else if (entry.kind == ConfigEntry::Kind::kList) {
    return absl::InvalidArgumentError(
        absl::StrCat(key, " takes one value, not a list"));
  } else {
    *flag->value = entry.values[0];
  }
  return absl::OkStatus();
}

std::string CommandLine::ConfigText(
    const std::map<std::string, std::string>& defaults) const {
  std::string text;
  auto list = [](const std::vector<std::string>& values) {
    std::string joined;
    for (const std::string& value : values) {
      absl::StrAppend(&joined, joined.empty() ? "" : ", ", QuoteToml(value));
    }
    return absl::StrCat("[", joined, "]");
  };
  for (const Flag& flag : flags_) {
    const auto fallback = defaults.find(flag.name);
    const std::string otherwise =
        fallback == defaults.end() ? "" : fallback->second;
    std::string value;
    if (flag.on != nullptr) {
      value = *flag.on ? "true" : "false";
    } else if (flag.values != nullptr) {
      if (!flag.values->empty()) {
        value = list(*flag.values);
      } else if (!otherwise.empty()) {
        value = list({otherwise});
      }
    } else if (flag.value->has_value()) {
      value = QuoteToml(**flag.value);
    } else if (!otherwise.empty()) {
      value = QuoteToml(otherwise);
    }
    if (value.empty() || flag.name == "config" || flag.name == "print-config") {
      continue;
    }
    absl::StrAppend(&text, flag.name, " = ", value, "\n");
  }
  return text;
}

}  // namespace corelane::cli
