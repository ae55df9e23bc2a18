#include "io/tensors/optimizer_file.h"

#include <algorithm>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/tensors/verify_written.h"

namespace chainrule::io::tensors {
namespace {

constexpr hdf5::FileFormat kOptimizerFormat = {"chainrule-optimizer", 1};
constexpr const char* kRanges = "ranges";

/// Of a file that says that it is ours.
std::vector<ElementRange> read_ranges(const hdf5::File& file) {
  file.require_format(kOptimizerFormat);
  const auto bounds = file.dataset(kRanges).read_all<std::uint64_t>();
  std::vector<ElementRange> ranges;
  for (std::size_t i = 0; i + 1 < bounds.size(); i += 2) ranges.push_back({bounds[i], bounds[i + 1]});
  return ranges;
}

}  // namespace

void write_optimizer_file(const std::filesystem::path& path, std::span<const ElementRange> ranges,
                          std::span<const OptimizerSlot> slots) {
  hdf5::File file = hdf5::File::create(path);
  file.set_format(kOptimizerFormat);
  std::vector<std::uint64_t> bounds;
  for (const ElementRange& range : ranges) bounds.insert(bounds.end(), {range.begin, range.end});
  file.create_dataset(kRanges, hdf5::ElementType::u64, {ranges.size(), 2})
      .write(0, std::span<const std::uint64_t>(bounds));
  for (const OptimizerSlot& slot : slots) file.write_dataset(slot.name, slot.values);
  file.close();
  files::sync_path(path);
  const hdf5::File written = hdf5::File::open(path);
  for (const OptimizerSlot& slot : slots) verify_written(written.dataset(slot.name), slot.values, path);
}

OptimizerFile::OptimizerFile(const std::filesystem::path& path)
    : file_(hdf5::File::open(path)), ranges_(read_ranges(file_)) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::bad_data, "'" + path.string() + "' " + why);
  };
  std::uint64_t elements = 0;
  for (const ElementRange& range : ranges_) {
    if (range.end < range.begin) refuse("has a range that ends before it begins");
    elements += range.end - range.begin;
  }
  for (const std::string& name : file_.names()) {
    if (name == kRanges) continue;
    const auto slot = slots_.emplace(name, file_.dataset(name)).first;
    if (slot->second.elements() != elements) refuse("holds other numbers of elements than its ranges name");
  }
}

std::vector<std::string> OptimizerFile::slots() const {
  std::vector<std::string> names;
  for (const auto& [name, dataset] : slots_) names.push_back(name);
  return names;
}

std::uint64_t OptimizerFile::read(const std::string& slot, std::uint64_t begin, std::span<float> values) const {
  const auto dataset = slots_.find(slot);
  if (dataset == slots_.end()) {
    throw Error(ErrorKind::bad_data, "'" + file_.path().string() + "' has no optimizer state '" + slot + "'");
  }
  const std::uint64_t end = begin + values.size();
  std::uint64_t row = 0;
  std::uint64_t found = 0;
  for (const ElementRange& range : ranges_) {
    const std::uint64_t from = std::max(begin, range.begin);
    const std::uint64_t to = std::min(end, range.end);
    if (from < to) {
      dataset->second.read(row + from - range.begin, values.subspan(from - begin, to - from));
      found += to - from;
    }
    row += range.end - range.begin;
  }
  return found;
}

}  // namespace chainrule::io::tensors
