#include "io/tensors/llmc/header.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "io/error.h"
#include "io/tensors/little_endian.h"

namespace chainrule::io::tensors::llmc {
namespace {

constexpr std::int32_t kMagic = 20240326;
constexpr std::int32_t kVersionF32 = 3;
constexpr std::int32_t kVersionBf16 = 5;
constexpr std::size_t kFields = kHeaderBytes / sizeof(std::int32_t);
constexpr std::size_t kUsedFields = 8;

/// A kind of tensor that each layer has.
struct LayerKind {
  const char* name;
  std::vector<std::int64_t> shape;
};

std::vector<LayerKind> layer_kinds(std::int64_t width) {
  return {{"ln1w", {width}},
          {"ln1b", {width}},
          {"qkvw", {3 * width, width}},
          {"qkvb", {3 * width}},
          {"attprojw", {width, width}},
          {"attprojb", {width}},
          {"ln2w", {width}},
          {"ln2b", {width}},
          {"fcw", {4 * width, width}},
          {"fcb", {4 * width}},
          {"fcprojw", {width, 4 * width}},
          {"fcprojb", {width}}};
}

/// Bytes of all tensors; nothing where they exceed 2^63 - 1.
std::optional<std::int64_t> data_bytes(const Header& header) {
  const std::int64_t width = header.width;
  std::int64_t sum = 0;
  bool counted = true;
  const auto add = [&](std::vector<std::int64_t> shape, std::int64_t times) {
    shape.insert(shape.begin(), times);
    const auto bytes = tensor_bytes(block_size(header.encoding), shape);
    counted = counted && bytes && !__builtin_add_overflow(sum, *bytes, &sum);
  };
  add({header.padded_vocabulary, width}, 1);
  add({header.context, width}, 1);
  for (const LayerKind& kind : layer_kinds(width)) add(kind.shape, header.layers);
  add({width}, 2);
  return counted ? std::optional(sum) : std::nullopt;
}

/// What is wrong with a header's sizes; nothing where they make a model.
std::string fault(const Header& header) {
  for (const std::int32_t size : {header.context, header.vocabulary, header.layers, header.heads, header.width}) {
    if (size < 1) return fmt::format("a size of {}", size);
  }
  if (header.padded_vocabulary < header.vocabulary) {
    return fmt::format("a vocabulary of {} padded to {}", header.vocabulary, header.padded_vocabulary);
  }
  if (header.width % header.heads != 0) {
    return fmt::format("a width of {} for {} heads", header.width, header.heads);
  }
  if (header.layers > kMostLayers) return fmt::format("{} layers; at most {} are read", header.layers, kMostLayers);
  return {};
}

}  // namespace

std::vector<Tensor> tensors_of(const Header& header) {
  const std::int64_t width = header.width;
  std::vector<Tensor> tensors = {{"wte", {header.padded_vocabulary, width}}, {"wpe", {header.context, width}}};
  for (const LayerKind& kind : layer_kinds(width)) {
    for (std::int32_t layer = 0; layer < header.layers; ++layer) {
      tensors.push_back({fmt::format("h.{}.{}", layer, kind.name), kind.shape});
    }
  }
  tensors.push_back({"lnfw", {width}});
  tensors.push_back({"lnfb", {width}});
  return tensors;
}

Header parse_header(std::span<const std::byte> file, std::string_view file_name) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::bad_data, fmt::format("{} is no llm.c model that is read: {}", file_name, what));
  };
  if (file.size() < kHeaderBytes) refuse("it ends within its header");
  const auto field = [&](std::size_t i) { return load<std::int32_t>(file.subspan(i * sizeof(std::int32_t))); };
  if (field(0) != kMagic) refuse(fmt::format("it begins with {}, not with {}", field(0), kMagic));
  if (field(1) != kVersionF32 && field(1) != kVersionBf16) {
    refuse(fmt::format("version {}, where {} and {} are read", field(1), kVersionF32, kVersionBf16));
  }
  for (std::size_t i = kUsedFields; i < kFields; ++i) {
    if (field(i) != 0) refuse(fmt::format("field {} of its header is {}, and stands for nothing known", i, field(i)));
  }
  const Header header{field(2),
                      field(3),
                      field(4),
                      field(5),
                      field(6),
                      field(7),
                      field(1) == kVersionF32 ? Encoding::f32 : Encoding::bf16};
  if (const std::string what = fault(header); !what.empty()) refuse("its header says " + what);
  const auto bytes = data_bytes(header);
  if (!bytes || static_cast<std::uint64_t>(*bytes) != file.size() - kHeaderBytes) {
    refuse(fmt::format("its tensors take other than the {} bytes behind its header", file.size() - kHeaderBytes));
  }
  return header;
}

std::string header_bytes(const Header& header) {
  std::array<std::int32_t, kFields> fields{};
  const std::array<std::int32_t, kUsedFields> used = {
      kMagic,         header.encoding == Encoding::f32 ? kVersionF32 : kVersionBf16,
      header.context, header.vocabulary,
      header.layers,  header.heads,
      header.width,   header.padded_vocabulary};
  std::copy(used.begin(), used.end(), fields.begin());
  return {reinterpret_cast<const char*>(fields.data()), kHeaderBytes};
}

}  // namespace chainrule::io::tensors::llmc
