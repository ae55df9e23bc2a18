#include "pipeline/cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <typeinfo>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/configuration.h"
#include "pipeline/run/duration.h"
#include "pipeline/run/standard_streams.h"

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

/// The library refuses --text= as a value that was forgotten; as two words it is an empty one.
Arguments with_empty_values(const Arguments& arguments, const po::options_description& options) {
  Arguments words;
  for (const std::string& word : arguments) {
    const bool empty_value = word.size() > 3 && word.starts_with("--") && word.find('=') == word.size() - 1;
    const std::string name = empty_value ? word.substr(2, word.size() - 3) : "";
    const po::option_description* option = empty_value ? options.find_nothrow(name, false) : nullptr;
    if (option != nullptr && option->semantic()->max_tokens() > 0) {
      words.push_back("--" + name);
      words.emplace_back();
    } else {
      words.push_back(word);
    }
  }
  return words;
}

/// An unknown option as it was typed; the library calls -m '--m'.
std::string as_typed(const std::string& name, const Arguments& arguments) {
  const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
  const auto spells_out = [&](const std::string& word) { return word.substr(0, word.find('=')) == "--" + bare; };
  if (std::any_of(arguments.begin(), arguments.end(), spells_out)) return "--" + bare;
  for (const std::string& word : arguments) {
    if (word.size() > 1 && word[0] == '-' && word[1] == bare[0]) return word.substr(0, word.find('='));
  }
  return name;
}

/// Of a pipe each rank of several would read a part.
void require_no_pipe(const char* option, const std::string& path) {
  if (comm::launched_size() == 1 || io::files::presence_of(path) != io::files::Presence::other) return;
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("option '--{}': {} is a pipe, of which several ranks would each read a part", option,
                                   io::path_in_quotes(path)));
}

OptionRow row_of(const po::option_description& option) {
  OptionRow row;
  row.name = option.long_name();
  const std::string short_name = option.canonical_display_name(po::command_line_style::allow_dash_for_short);
  if (short_name.size() == 2 && short_name.front() == '-') row.letter = short_name.back();
  row.description = option.description();
  if (option.semantic()->max_tokens() == 0) return row;
  row.value = option.semantic()->name();  // "N (=4)"
  if (const std::size_t behind = row.value.find(" (="); behind != std::string::npos) {
    row.default_value = row.value.substr(behind + 3, row.value.size() - behind - 4);
    row.value.resize(behind);
  }
  return row;
}

/// The lines of a configuration as the library's own parsers would give them.
po::parsed_options as_parsed(const run::Configuration& lines, const po::options_description& options) {
  po::parsed_options parsed(&options);
  for (const auto& [name, value] : lines) {
    po::option& each = parsed.options.emplace_back(name, std::vector<std::string>{value});
    each.original_tokens = {name, value};
  }
  return parsed;
}

/// The library wraps a negative number around into a large one.
void refuse_negative(const std::vector<po::option>& read, const po::variables_map& values) {
  for (const po::option& each : read) {
    if (each.string_key.empty() || each.value.empty() || !each.value.front().starts_with('-')) continue;
    if (values[each.string_key].value().type() != typeid(std::uint64_t)) continue;
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--{} must be at least 0, not {}", each.string_key, each.value.front()));
  }
}

/// No path, name or choice is empty; a text may be.
void refuse_empty(const po::options_description& options, const po::variables_map& values) {
  for (const auto& option : options.options()) {
    const std::string& name = option->long_name();
    if (values.count(name) == 0 || option->semantic()->name().starts_with("TEXT")) continue;
    const boost::any& value = values[name].value();
    const auto* text = boost::any_cast<std::string>(&value);
    const auto* list = boost::any_cast<std::vector<std::string>>(&value);
    if ((text != nullptr && text->empty()) || (list != nullptr && std::ranges::count(*list, "") != 0)) {
      throw failure::Error(failure::ExitCode::usage, fmt::format("--{} is empty", name));
    }
  }
}

}  // namespace

double time_limit_seconds(const std::string& text) {
  try {
    return run::parse_duration(text);
  } catch (const std::invalid_argument& error) {
    throw failure::Error(failure::ExitCode::usage, fmt::format("--time-limit: {}", error.what()));
  }
}

void check_range(std::string_view option, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least)
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--{} must be at least {}, not {}", option, least, value));
  if (value > most)
    throw failure::Error(failure::ExitCode::usage, fmt::format("--{} must be at most {}, not {}", option, most, value));
}

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
  captions_.push_back(caption);
  return groups_.emplace_back(caption, 100U);
}

bool CommandOptions::parse(const Arguments& arguments) {
  std::string config;
  group("General").add_options()(
      "config", po::value(&config)->value_name("FILE"),
      "read further options from FILE (lines 'name = value'; # at the start of a line or behind a space begins a "
      "comment; a value may stand in double quotes); the command line wins")("help,h", "print this help");
  if (CommandTable* const table = asked_table(); table != nullptr) {
    fill(*table);
    return false;
  }
  po::options_description all;
  for (const auto& each : groups_) all.add(each);
  std::vector<std::string> names;
  for (const auto& each : all.options()) names.push_back(each->long_name());
  const auto fail = [](const std::string& message) { throw failure::Error(failure::ExitCode::usage, message); };
  const auto fail_unknown = [&](const std::string& name, const std::string& where) {
    const std::string near = nearest(name.substr(std::min(name.find_first_not_of('-'), name.size())), names);
    fail(fmt::format("unknown option '{}'{}{}", name, where,
                     near.empty() ? "; see --help" : fmt::format("; did you mean '--{}'?", near)));
  };
  const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  const Arguments words = with_empty_values(arguments, all);
  try {
    const auto parsed = po::command_line_parser(words).options(all).style(style).positional(positional_).run();
    po::store(parsed, values_);
    refuse_negative(parsed.options, values_);
    for (const auto& each : parsed.options) typed_.insert(each.string_key);
    if (values_.count("help") != 0) {
      if (comm::launched_rank() == 0) {
        std::ostringstream text;
        text << "usage: " << usage_ << "\n\n" << summary_ << '\n';
        for (const auto& each : groups_) text << '\n' << each;
        run::print(text.str());
      }
      return false;
    }
    if (values_.count("config") != 0) {
      const auto path = values_["config"].as<std::string>();
      require_no_pipe("config", path);
      try {
        const run::Configuration lines = run::parse_configuration(io::files::read_file_or_pipe(path), path);
        for (const auto& [name, unused] : lines) {
          if (all.find_nothrow(name, false) == nullptr) fail_unknown("--" + name, fmt::format(" in '{}'", path));
        }
        const po::parsed_options read = as_parsed(lines, all);
        po::store(read, values_);
        refuse_negative(read.options, values_);
      } catch (const po::error& error) {
        fail(fmt::format("'{}': {}", path, error.what()));
      } catch (const io::Error& error) {
        if (error.kind() == io::ErrorKind::bad_data) fail(error.what());
        throw;
      }
    }
    po::notify(values_);
    refuse_empty(all, values_);
    if (values_.count("tokenizer") != 0) require_no_pipe("tokenizer", values_["tokenizer"].as<std::string>());
  } catch (const po::unknown_option& error) {
    fail_unknown(as_typed(error.get_option_name(), arguments), "");
  } catch (const po::too_many_positional_options_error&) {
    const auto parsed = po::command_line_parser(words).options(all).style(style).run();
    for (const auto& each : parsed.options) {
      if (each.position_key < static_cast<int>(positional_.max_total_count())) continue;
      fail(fmt::format("unexpected argument '{}'; see --help", each.value.front()));
    }
    fail("unexpected argument; see --help");
  } catch (const po::error& error) {
    fail(fmt::format("{}; see --help", error.what()));
  }
  return true;
}

void CommandOptions::fill(CommandTable& table) const {
  table.usage = usage_;
  table.description = summary_;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    OptionGroup& group = table.groups.emplace_back();
    group.caption = captions_[i];
    for (const auto& option : groups_[i].options()) group.rows.push_back(row_of(*option));
  }
  if (positional_.max_total_count() > 0) table.nameless = positional_.name_for_position(0);
}

bool CommandOptions::given(const std::string& name) const {
  return values_.count(name) != 0 && !values_[name].defaulted();
}

std::string CommandOptions::either(const std::string& one, const std::string& other) const {
  if (!given(one) || !given(other)) return given(one) ? one : given(other) ? other : "";
  if (typed_.contains(one) == typed_.contains(other)) {
    throw failure::Error(failure::ExitCode::usage, fmt::format("--{} and --{} exclude each other", one, other));
  }
  return typed_.contains(one) ? one : other;
}

void CommandOptions::require_same(const comm::Communicator& communicator) const {
  std::string text;
  for (const auto& [name, value] : resolved()) text += fmt::format("{}--{}={}", text.empty() ? "" : " ", name, value);
  comm::require_same(communicator, failure::ExitCode::usage, "their options", text);
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
