#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/file.h"

namespace chainrule::io::tensors {

/// Elements [begin, end) of the parameter arena.
struct ElementRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const ElementRange&) const = default;
};

/// One named part of an optimizer's state to be written: a value for each element of the ranges beside it.
struct OptimizerSlot {
  std::string name;  ///< any but "ranges"
  std::span<const float> values;
};

/// Writes one writer's share of an optimizer's state: `ranges`, and one dataset a slot, by name, with the values of the
/// ranges side by side in their order. Closed, synced, read back and compared. Throws Error (cannot_create,
/// input_output).
void write_optimizer_file(const std::filesystem::path& path, std::span<const ElementRange> ranges,
                          std::span<const OptimizerSlot> slots);

/// An optimizer file for reading, by any other division of the arena than the writer's.
class OptimizerFile {
 public:
  /// Throws Error (missing_input, bad_data).
  explicit OptimizerFile(const std::filesystem::path& path);

  const std::vector<ElementRange>& ranges() const { return ranges_; }
  /// In byte order.
  std::vector<std::string> slots() const;
  /// Fills what this file holds of a slot's elements [begin, begin + values.size()) and returns how many those are.
  /// Throws Error (bad_data: also for a slot that is not there; input_output).
  std::uint64_t read(const std::string& slot, std::uint64_t begin, std::span<float> values) const;

 private:
  hdf5::File file_;
  std::vector<ElementRange> ranges_;
  std::map<std::string, hdf5::Dataset> slots_;
};

}  // namespace chainrule::io::tensors
