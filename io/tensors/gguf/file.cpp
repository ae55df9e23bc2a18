#include "io/tensors/gguf/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "io/quote.h"
#include "io/tensors/gguf/fields.h"
#include "io/tensors/gguf/tensor_type.h"

namespace chainrule::io::tensors::gguf {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::uint32_t kVersions[] = {2, 3};
constexpr const char* kAlignmentKey = "general.alignment";
constexpr const char* kSplitKey = "split.count";
constexpr std::uint64_t kDefaultAlignment = 32;
// What the specification says, and far more than any model has.
constexpr std::size_t kMostKeyBytes = 65'535;
constexpr std::size_t kMostTensorNameBytes = 64;
constexpr std::uint32_t kMostDimensions = 4;
constexpr std::uint64_t kMostKeys = 65'536;
constexpr std::uint64_t kMostTensors = 65'536;

/// A tensor's description, and its place behind the descriptions.
struct PlacedTensor {
  std::string name;
  ListedTensor tensor;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;  ///< 0 for a type of unknown size
};

void check_version(Fields& fields) {
  if (fields.u32() != kMagic) fields.refuse("it does not begin with 'GGUF'");
  const std::uint32_t version = fields.u32();
  if (version != 0 && (version & 0xFFFFU) == 0) fields.refuse("it is big-endian");
  if (std::find(std::begin(kVersions), std::end(kVersions), version) == std::end(kVersions)) {
    fields.refuse(fmt::format("version {}, where 2 and 3 are read", version));
  }
}

std::uint64_t count(Fields& fields, std::uint64_t most, std::string_view what) {
  const std::uint64_t count = fields.u64();
  if (count > most) fields.refuse(fmt::format("{} {}, where at most {} are read", count, what, most));
  return count;
}

Metadata read_metadata(Fields& fields, std::uint64_t pairs) {
  std::map<std::string, Value> values;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    const std::string key = fields.name(kMostKeyBytes);
    if (values.contains(key)) fields.refuse(fmt::format("the key {} a second time", in_quotes(key)));
    values.emplace(key, fields.value());
  }
  return {std::string(fields.file_name()), std::move(values)};
}

std::vector<std::int64_t> read_shape(Fields& fields) {
  const std::uint32_t dimensions = fields.u32();
  if (dimensions > kMostDimensions) fields.refuse(fmt::format("a tensor of {} dimensions", dimensions));
  std::vector<std::int64_t> shape(dimensions);
  for (std::int64_t& extent : shape) {
    const std::uint64_t value = fields.u64();
    if (value > std::uint64_t{INT64_MAX}) fields.refuse(fmt::format("a dimension of {}", value));
    extent = static_cast<std::int64_t>(value);
  }
  std::reverse(shape.begin(), shape.end());
  return shape;
}

PlacedTensor read_tensor(Fields& fields, std::uint64_t alignment) {
  PlacedTensor placed;
  placed.name = fields.name(kMostTensorNameBytes);
  const auto refuse = [&](const std::string& what) {
    fields.refuse(fmt::format("tensor {} {}", in_quotes(placed.name), what));
  };
  placed.tensor.shape = read_shape(fields);
  const TensorType type = tensor_type(fields.u32());
  placed.tensor.type = type.name;
  placed.tensor.encoding = type.encoding;
  if (type.block) {
    const auto bytes = tensor_bytes(*type.block, placed.tensor.shape);
    if (!bytes) refuse(fmt::format("has rows that are no whole blocks of {}, or too many elements", type.name));
    placed.bytes = static_cast<std::uint64_t>(*bytes);
  }
  placed.offset = fields.u64();
  if (placed.offset % alignment != 0) refuse(fmt::format("is not aligned to {} bytes", alignment));
  return placed;
}

std::vector<PlacedTensor> read_tensors(Fields& fields, std::uint64_t tensors, std::uint64_t alignment) {
  std::vector<PlacedTensor> placed;
  for (std::uint64_t i = 0; i < tensors; ++i) placed.push_back(read_tensor(fields, alignment));
  return placed;
}

/// Gives each tensor its bytes of data, which nobody else may have.
TensorTable place(std::vector<PlacedTensor> tensors, std::span<const std::byte> data, const Fields& fields) {
  std::sort(tensors.begin(), tensors.end(), [](const PlacedTensor& a, const PlacedTensor& b) {
    return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
  });
  TensorTable table;
  std::uint64_t end = 0;
  for (PlacedTensor& each : tensors) {
    const auto refuse = [&](const char* what) {
      fields.refuse_file(fmt::format("tensor {} {}", in_quotes(each.name), what));
    };
    if (each.offset < end) refuse("overlaps another");
    if (each.offset > data.size() || each.bytes > data.size() - each.offset) refuse("is not inside the file");
    end = each.offset + each.bytes;
    each.tensor.bytes = data.subspan(static_cast<std::size_t>(each.offset), static_cast<std::size_t>(each.bytes));
    if (!table.emplace(each.name, std::move(each.tensor)).second) refuse("is there twice");
  }
  return table;
}

std::uint64_t alignment_of(const Metadata& metadata, const Fields& fields) {
  if (!metadata.contains(kAlignmentKey)) return kDefaultAlignment;
  const std::int64_t alignment = metadata.whole_number(kAlignmentKey);
  if (alignment < 8 || !std::has_single_bit(static_cast<std::uint64_t>(alignment))) {
    fields.refuse_file(fmt::format("'{}' is {}, no power of two from 8 on", kAlignmentKey, alignment));
  }
  return static_cast<std::uint64_t>(alignment);
}

}  // namespace

Contents parse_file(std::span<const std::byte> file, std::string_view file_name) {
  Fields fields(file, file_name);
  check_version(fields);
  const std::uint64_t tensors = count(fields, kMostTensors, "tensors");
  Metadata metadata = read_metadata(fields, count(fields, kMostKeys, "keys"));
  if (metadata.contains(kSplitKey) && metadata.whole_number(kSplitKey) > 1) {
    fields.refuse_file(fmt::format("it is one of {} files that a model was split into ('{}')",
                                   metadata.whole_number(kSplitKey), kSplitKey));
  }
  const std::uint64_t alignment = alignment_of(metadata, fields);
  std::vector<PlacedTensor> placed = read_tensors(fields, tensors, alignment);
  const std::uint64_t padding = (alignment - fields.position() % alignment) % alignment;
  const bool has_data = padding <= file.size() - fields.position();
  const std::span<const std::byte> data =
      has_data ? file.subspan(fields.position() + static_cast<std::size_t>(padding)) : std::span<const std::byte>();
  return {std::move(metadata), place(std::move(placed), data, fields)};
}

GgufFile GgufFile::open(const std::filesystem::path& path) {
  std::vector<files::MappedFile> file;
  file.emplace_back(path);
  Contents contents = parse_file(file.front().bytes(), path_in_quotes(path));
  return {path, std::move(file), std::move(contents)};
}

}  // namespace chainrule::io::tensors::gguf
