#pragma once
#include <boost/program_options.hpp>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/cli/command_table.h"
#include "pipeline/cli/commands.h"
#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::cli {

namespace po = boost::program_options;

/// The options of one command: grouped for --help, read from the command line, then from --config FILE. Mistakes
/// throw Error(usage); an unknown option's message names the nearest known one.
class CommandOptions {
 public:
  /// usage is the line after "usage: ", e.g. "chainrule pack --tokenizer T --input PATH... --output DIR".
  CommandOptions(std::string_view usage, std::string_view summary);

  /// Starts a group; add options to what it returns: group("Data").add_options()("data", po::value(&x)->required(), ..)
  po::options_description& group(const std::string& caption);

  /// Lets the option `name` be given without its name, as so many words: chainrule inspect PATH.
  static constexpr int kAnyNumber = -1;
  void allow_positional(const std::string& name, int words = 1) { positional_.add(name.c_str(), words); }

  /// Parses. Returns false when --help was asked for and printed, or the table of options was (asked_table()): then the
  /// command is done.
  bool parse(const Arguments& arguments);

  /// Whether the option was given, on the command line or in the file (not defaulted).
  bool given(const std::string& name) const;

  /// Which of two options that exclude each other holds, empty where neither was given: one on the command line wins
  /// over one in the file, and two in the same place are refused.
  std::string either(const std::string& one, const std::string& other) const;

  /// Throws AgreedError (usage) where a rank was given other options than rank 0. Collective.
  void require_same(const comm::Communicator& communicator) const;

  /// Every option with its value, "name=value" lines as --config reads them, in order of declaration; options
  /// without a value are left out.
  std::vector<std::pair<std::string, std::string>> resolved() const;

 private:
  void fill(CommandTable& table) const;

  std::string usage_;
  std::string summary_;
  std::vector<std::string> captions_;  // of groups_
  std::vector<po::options_description> groups_;
  po::positional_options_description positional_;
  po::variables_map values_;
  std::set<std::string> typed_;  // options given on the command line
};

/// What --time-limit is, in seconds; see run::parse_duration. Throws Error usage.
double time_limit_seconds(const std::string& text);

/// Throws Error usage naming the option where its value is not from least to most.
void check_range(std::string_view option, std::int64_t value, std::int64_t least,
                 std::int64_t most = std::numeric_limits<std::int64_t>::max());

/// The candidate with the smallest edit distance to word; empty where none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace chainrule::pipeline::cli
