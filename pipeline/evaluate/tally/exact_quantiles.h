#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "io/files/unnamed_file.h"

namespace chainrule::pipeline::evaluate::tally {

/// Exact quantiles of as many numbers as there may be: these lie in a file without a name, 8 bytes each, and are read
/// four times. Memory does not grow with them.
class ExactQuantiles {
 public:
  /// folder: where the file is made. Throws io::Error cannot_create.
  explicit ExactQuantiles(const std::filesystem::path& folder) : file_(folder) {}

  /// No NaN. Throws io::Error input_output.
  void add(double value);
  /// The value at each fraction (0: the least, 1: the largest) of the order, linear between the two places next to
  /// fraction (n - 1). Empty for no values. Throws io::Error input_output.
  std::vector<double> at(const std::vector<double>& fractions);

 private:
  std::uint64_t size() const { return file_.bytes() / sizeof(std::uint64_t); }
  void for_each_key(const std::function<void(std::uint64_t key)>& visit) const;
  std::vector<double> at_places(const std::vector<std::uint64_t>& places) const;

  io::files::UnnamedFile file_;  ///< of keys, whose order is that of the values
};

}  // namespace chainrule::pipeline::evaluate::tally
