#include "dataplane/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dataplane/runtime/log.h"
#include "pmd/nearest_name.h"

namespace corelane::cli {

CommandLine::CommandLine(const std::string& command, const std::string& summary)
    : command_(command), app_(std::make_unique<CLI::App>(summary)) {
  app_->name(absl::StrCat("corelane ", command));
  app_->set_help_flag("-h,--help", "Print this and exit");
  // Collected, so that the complaint can name the nearest flag.
  app_->allow_extras();
  app_->get_formatter()->column_width(28);
}

CommandLine::~CommandLine() = default;

void CommandLine::SetFooter(const std::string& text) { app_->footer(text); }

void CommandLine::AddValue(const std::string& flag,
                           std::optional<std::string>& value,
                           const std::string& value_name,
                           const std::string& help) {
  app_->add_option_function<std::string>(
          flag, [&value](const std::string& text) { value = text; }, help)
      ->type_name(value_name);
  Remember(flag, {.name = {}, .value = &value});
}

void CommandLine::AddValues(const std::string& flag,
                            std::vector<std::string>& values,
                            const std::string& value_name,
                            const std::string& help) {
  app_->add_option(flag, values, help)
      ->type_name(value_name)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  Remember(flag, {.name = {}, .values = &values});
}

void CommandLine::AddWords(const std::string& flag,
                           std::vector<std::string>& words, int most,
                           const std::string& value_name,
                           const std::string& help) {
  app_->add_option(flag, words, help)
      ->type_name(value_name)
      ->expected(1, most)
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
}

void CommandLine::AddOperands(const std::string& name,
                              std::vector<std::string>& words,
                              const std::string& help) {
  app_->add_option(name, words, help)->expected(0, -1)->type_name("");
}

void CommandLine::AddSwitch(const std::string& flag, bool& value,
                            const std::string& help) {
  app_->add_flag_callback(
      flag, [&value] { value = true; }, help);
  Remember(flag, {.name = {}, .on = &value});
}

void CommandLine::Remember(const std::string& flag, Flag place) {
  const size_t dashes = flag.find("--");
  if (dashes == std::string::npos) return;
  place.name = flag.substr(dashes + 2);
  flags_.push_back(std::move(place));
}

std::optional<int> CommandLine::Parse(
    const std::vector<std::string>& arguments) {
  // CLI11 takes them from the end.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app_->parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    std::fputs(app_->help().c_str(), stdout);
    return kExitOk;
  } catch (const CLI::ArgumentMismatch& error) {
    // "--port: 1 required TEXT missing", or too many of them.
    const std::string what = error.what();
    const std::string flag = what.substr(0, what.find(':'));
    if (what.find("missing") != std::string::npos) {
      return Refuse(absl::StrCat(flag, " needs a value"));
    }
    return Refuse(
        absl::StrCat(flag, " is given more than once, or too many words"));
  } catch (const CLI::Error& error) {
    return Refuse(error.what());
  }
  if (auto code = RefuseExtras()) return code;
  return ApplyConfig();
}

std::optional<int> CommandLine::RefuseExtras() {
  const std::vector<std::string> extras = app_->remaining();
  if (extras.empty()) return std::nullopt;
  const std::string flag = extras[0].substr(0, extras[0].find('='));
  if (flag.size() < 2 || flag[0] != '-') {
    return Refuse(absl::StrCat("unexpected argument '", extras[0], "'"));
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back(absl::StrCat("--", name));
    }
  }
  const std::vector<absl::string_view> views(names.begin(), names.end());
  return Refuse(
      absl::StrCat("unknown flag ", flag, pmd::DidYouMean(flag, views)));
}

int CommandLine::Refuse(absl::string_view message) const {
  // What is wrong may have been said in the file.
  std::string place;
  for (const Flag& flag : flags_) {
    const std::string start = absl::StrCat("--", flag.name);
    if (flag.line != 0 && absl::StartsWith(message, start) &&
        (message.size() == start.size() || message[start.size()] == ' ' ||
         message[start.size()] == ':')) {
      place = absl::StrCat(*config_, ":", flag.line, ": ");
    }
  }
  runtime::LogError(
      absl::StrCat(place, message, " (corelane ", command_, " --help)"));
  return kExitBadInput;
}

}  // namespace corelane::cli
