#include "io/tensors/optimizer_file.h"

#include <algorithm>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/tensors/verify_written.h"

namespace chainrule::io::tensors {
namespace {

constexpr std::uint64_t kFormatVersion = 1;
constexpr const char* kFormat = "chainrule-optimizer";

std::vector<ElementRange> read_ranges(const hdf5::File& file) {
  const auto bounds = file.dataset("ranges").read_all<std::uint64_t>();
  std::vector<ElementRange> ranges;
  for (std::size_t i = 0; i + 1 < bounds.size(); i += 2) ranges.push_back({bounds[i], bounds[i + 1]});
  return ranges;
}

}  // namespace

void write_optimizer_file(const std::filesystem::path& path, std::span<const ElementRange> ranges,
                          std::span<const float> first_moment, std::span<const float> second_moment) {
  hdf5::File file = hdf5::File::create(path);
  file.set_attribute("format", std::string(kFormat));
  file.set_attribute("format_version", kFormatVersion);
  std::vector<std::uint64_t> bounds;
  for (const ElementRange& range : ranges) bounds.insert(bounds.end(), {range.begin, range.end});
  file.create_dataset("ranges", hdf5::ElementType::u64, {ranges.size(), 2})
      .write(0, std::span<const std::uint64_t>(bounds));
  file.write_dataset("first_moment", first_moment);
  file.write_dataset("second_moment", second_moment);
  file.close();
  files::sync_path(path);
  const OptimizerFile written(path);
  verify_written(written.first_moment_, first_moment, path);
  verify_written(written.second_moment_, second_moment, path);
}

OptimizerFile::OptimizerFile(const std::filesystem::path& path)
    : file_(hdf5::File::open(path)),
      ranges_(read_ranges(file_)),
      first_moment_(file_.dataset("first_moment")),
      second_moment_(file_.dataset("second_moment")) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::bad_data, "'" + path.string() + "' " + why);
  };
  if (file_.text_attribute("format") != kFormat || file_.number_attribute("format_version") != kFormatVersion) {
    refuse("is not an optimizer file of format version 1");
  }
  std::uint64_t elements = 0;
  for (const ElementRange& range : ranges_) {
    if (range.end < range.begin) refuse("has a range that ends before it begins");
    elements += range.end - range.begin;
  }
  if (first_moment_.elements() != elements || second_moment_.elements() != elements) {
    refuse("holds other numbers of elements than its ranges name");
  }
}

std::uint64_t OptimizerFile::read(std::uint64_t begin, std::span<float> first_moment,
                                  std::span<float> second_moment) const {
  const std::uint64_t end = begin + first_moment.size();
  std::uint64_t row = 0;
  std::uint64_t found = 0;
  for (const ElementRange& range : ranges_) {
    const std::uint64_t from = std::max(begin, range.begin);
    const std::uint64_t to = std::min(end, range.end);
    if (from < to) {
      first_moment_.read(row + from - range.begin, first_moment.subspan(from - begin, to - from));
      second_moment_.read(row + from - range.begin, second_moment.subspan(from - begin, to - from));
      found += to - from;
    }
    row += range.end - range.begin;
  }
  return found;
}

}  // namespace chainrule::io::tensors
