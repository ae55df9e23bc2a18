#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "io/text/text_file.h"
#include "io/tokens/foreign/token_type.h"
#include "pipeline/pack/pack.h"

namespace chainrule::pipeline::pack {

/// The files that are packed, in stream order, and their domains.
struct PackInputs {
  std::vector<io::text::TextFile> files;
  std::vector<std::uint16_t> domain;  ///< [files] index into domains
  std::vector<std::string> domains;
  std::vector<io::tokens::foreign::Layout> layout;  ///< [files] of those that hold tokens

  /// The files [first, end) whose tokens make one stream with those of a token file: llm.c's documents go on from file
  /// to file of a folder.
  std::pair<std::size_t, std::size_t> run_of(std::size_t file) const;

  /// As bytes and back, to be told to other ranks.
  std::string to_message() const;
  static PackInputs from_message(const std::string& text);
};

/// Finds the files of options; says on standard error what is left out, if anything. One rank does it and tells the
/// others, for what a folder holds and what a file is are to be decided once. Throws io::Error (missing_input,
/// bad_data), Error usage where a path has two names.
PackInputs find_inputs(const PackOptions& options);

}  // namespace chainrule::pipeline::pack
