#include "pipeline/cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "pipeline/comm/session.h"
#include "pipeline/error.h"
#include "pipeline/standard_streams.h"

namespace chainrule::pipeline::cli {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// The text of a value as --config reads it; empty where the type has none.
std::vector<std::string> texts(const boost::any& value) {
  if (const auto* text = boost::any_cast<std::string>(&value)) return {*text};
  if (const auto* list = boost::any_cast<std::vector<std::string>>(&value)) return *list;
  if (const auto* flag = boost::any_cast<bool>(&value)) return {*flag ? "true" : "false"};
  if (const auto* number = boost::any_cast<std::int64_t>(&value)) return {fmt::format("{}", *number)};
  if (const auto* number = boost::any_cast<std::uint64_t>(&value)) return {fmt::format("{}", *number)};
  if (const auto* number = boost::any_cast<int>(&value)) return {fmt::format("{}", *number)};
  if (const auto* number = boost::any_cast<double>(&value)) return {fmt::format("{}", *number)};
  throw std::logic_error("option of a type that resolved() does not know");
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

CommandOptions::CommandOptions(std::string_view usage, std::string_view summary) : usage_(usage), summary_(summary) {
  groups_.reserve(8);  // group() hands out references
}

po::options_description& CommandOptions::group(const std::string& caption) {
  if (groups_.size() == groups_.capacity()) throw std::logic_error("too many option groups");
  return groups_.emplace_back(caption, 100U);
}

bool CommandOptions::parse(const Arguments& arguments) {
  std::string config;
  group("General").add_options()("config", po::value(&config)->value_name("FILE"),
                                 "read further options from FILE (lines 'name = value'); the command line wins")(
      "help,h", "print this help");
  po::options_description all;
  for (const auto& each : groups_) all.add(each);
  std::vector<std::string> names;
  for (const auto& each : all.options()) names.push_back(each->long_name());
  const auto fail = [](const std::string& message) { throw Error(ExitCode::usage, message); };
  const auto fail_unknown = [&](const std::string& name, const std::string& where) {
    const std::string near = nearest(name, names);
    fail(fmt::format("unknown option '--{}'{}{}", name, where,
                     near.empty() ? "; see --help" : fmt::format("; did you mean '--{}'?", near)));
  };
  try {
    const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    const auto parsed = po::command_line_parser(arguments).options(all).style(style).positional(positional_).run();
    po::store(parsed, values_);
    if (values_.count("help") != 0) {
      if (launched_rank() == 0) {
        std::ostringstream text;
        text << "usage: " << usage_ << "\n\n" << summary_ << '\n';
        for (const auto& each : groups_) text << '\n' << each;
        print(text.str());
      }
      return false;
    }
    if (values_.count("config") != 0) {
      const auto path = values_["config"].as<std::string>();
      std::ifstream file(path);
      if (!file) throw Error(ExitCode::missing_input, fmt::format("cannot open the configuration file '{}'", path));
      try {
        po::store(po::parse_config_file(file, all), values_);
      } catch (const po::unknown_option& error) {
        fail_unknown(error.get_option_name(), fmt::format(" in '{}'", path));
      } catch (const po::error& error) {
        fail(fmt::format("'{}': {}", path, error.what()));
      }
    }
    po::notify(values_);
  } catch (const po::unknown_option& error) {
    std::string name = error.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    fail_unknown(name, "");
  } catch (const po::too_many_positional_options_error&) {
    std::string word;
    for (const auto& each : arguments) {
      if (!each.empty() && each[0] != '-') word = each;
    }
    fail(fmt::format("unexpected argument{}; see --help", word.empty() ? "" : fmt::format(" (near '{}')", word)));
  } catch (const po::error& error) {
    fail(fmt::format("{}; see --help", error.what()));
  }
  return true;
}

bool CommandOptions::given(const std::string& name) const {
  return values_.count(name) != 0 && !values_[name].defaulted();
}

std::vector<std::pair<std::string, std::string>> CommandOptions::resolved() const {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& each : groups_) {
    for (const auto& option : each.options()) {
      const std::string& name = option->long_name();
      if (name == "config" || name == "help" || values_.count(name) == 0) continue;
      for (const auto& text : texts(values_[name].value())) lines.emplace_back(name, text);
    }
  }
  return lines;
}

}  // namespace chainrule::pipeline::cli
