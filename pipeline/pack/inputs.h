#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/text/text_file.h"
#include "pipeline/pack/pack.h"

namespace chainrule::pipeline::pack {

/// The files that are packed, in stream order, and their domains.
struct PackInputs {
  std::vector<io::text::TextFile> files;
  std::vector<std::uint16_t> domain;  ///< [files] index into domains
  std::vector<std::string> domains;

  /// As bytes and back, to be told to other ranks.
  std::string to_message() const;
  static PackInputs from_message(const std::string& text);
};

/// Finds the files of options; says on standard error what is left out, if anything. One rank does it and tells the
/// others, for what a folder holds and what a file is are to be decided once. Throws io::Error (missing_input,
/// bad_data), Error usage where a path has two names.
PackInputs find_inputs(const PackOptions& options);

}  // namespace chainrule::pipeline::pack
