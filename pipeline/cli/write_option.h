#pragma once
#include <string>
#include <vector>

#include "pipeline/cli/options.h"
#include "pipeline/evaluate/writers/formats.h"

namespace chainrule::pipeline::cli {

/// --write FORMAT, of what makes reports.
class WriteOption {
 public:
  void add_to(po::options_description& group);
  /// Throws Error usage where a format has another name.
  evaluate::writers::Formats chosen() const;

 private:
  std::vector<std::string> names_;
};

}  // namespace chainrule::pipeline::cli
