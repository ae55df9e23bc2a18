#pragma once
#include <boost/program_options.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/cli/commands.h"

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

  /// Lets the option `name` be given without its name, as one word: chainrule inspect PATH.
  void allow_positional(const std::string& name) { positional_.add(name.c_str(), 1); }

  /// Parses. Returns false when --help was asked for and printed (then the command is done).
  bool parse(const Arguments& arguments);

  /// Whether the option was given, on the command line or in the file (not defaulted).
  bool given(const std::string& name) const;

  /// Every option with its value, "name=value" lines as --config reads them, in order of declaration; options
  /// without a value are left out.
  std::vector<std::pair<std::string, std::string>> resolved() const;

 private:
  std::string usage_;
  std::string summary_;
  std::vector<po::options_description> groups_;
  po::positional_options_description positional_;
  po::variables_map values_;
};

/// The candidate with the smallest edit distance to word; empty where none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace chainrule::pipeline::cli
