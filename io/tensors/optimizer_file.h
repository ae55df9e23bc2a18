#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "io/hdf5/file.h"

namespace chainrule::io::tensors {

/// Elements [begin, end) of the parameter arena.
struct ElementRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const ElementRange&) const = default;
};

/// Writes one writer's share of AdamW's state: the moments of its ranges, side by side in the order of ranges. Closed,
/// synced, read back and compared. Throws Error (cannot_create, input_output).
void write_optimizer_file(const std::filesystem::path& path, std::span<const ElementRange> ranges,
                          std::span<const float> first_moment, std::span<const float> second_moment);

/// An optimizer file for reading, by any other division of the arena than the writer's.
class OptimizerFile {
 public:
  /// Throws Error (missing_input, bad_data).
  explicit OptimizerFile(const std::filesystem::path& path);

  const std::vector<ElementRange>& ranges() const { return ranges_; }
  /// Fills what this file holds of elements [begin, begin + first.size()) and returns how many those are. Throws Error
  /// (bad_data, input_output).
  std::uint64_t read(std::uint64_t begin, std::span<float> first_moment, std::span<float> second_moment) const;

 private:
  friend void write_optimizer_file(const std::filesystem::path& path, std::span<const ElementRange> ranges,
                                   std::span<const float> first_moment, std::span<const float> second_moment);

  hdf5::File file_;
  std::vector<ElementRange> ranges_;
  hdf5::Dataset first_moment_;
  hdf5::Dataset second_moment_;
};

}  // namespace chainrule::io::tensors
