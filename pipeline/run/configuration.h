#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule::pipeline::run {

/// Options and their values in the order of a file: what --config reads and a run's config.cfg holds. An option with
/// several values has a line for each.
using Configuration = std::vector<std::pair<std::string, std::string>>;

/// Reads lines `name = value`. Blank lines are passed over, and so is what follows a # at the start of a line or behind
/// white space. A value is the rest of its line without the white space around it, or stands in double quotes, where
/// \\, \", \n, \r, \t and \xHH stand for the bytes that they name. Throws io::Error bad_data naming source (a file) and
/// the line that is none of these.
Configuration parse_configuration(std::string_view text, const std::string& source);
/// The lines that parse_configuration() reads as this; any bytes may be in a value.
std::string to_text(const Configuration& configuration);

/// parse_configuration() of a file. Throws io::Error (missing_input, input_output, bad_data).
Configuration read_configuration(const std::filesystem::path& file);

/// The first value of an option.
std::optional<std::string> value_of(const Configuration& configuration, const std::string& name);
/// Sets or adds a line.
void set_value(Configuration& configuration, const std::string& name, const std::string& value);

/// Throws Error (usage) naming the first option in which a run started again differs from what it was started with,
/// except for those that may_differ.
void check_same_run(const Configuration& saved, const Configuration& now, const std::vector<std::string>& may_differ);

}  // namespace chainrule::pipeline::run
