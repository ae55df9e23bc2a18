#include "pipeline/models/checkpoint_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "io/error.h"
#include "io/tensors/manifest.h"
#include "io/tensors/model_file.h"
#include "io/tensors/optimizer_file.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModelFile = "model.h5";

[[noreturn]] void refuse_weights(const fs::path& path, const std::string& why) {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}' {}", path.string(), why));
}

/// A checkpoint's model.h5, whose bytes, names and shapes were compared.
std::unique_ptr<const io::tensors::ModelFile> open_model_file(const fs::path& checkpoint,
                                                              const model::shape::ParameterTable& table) {
  io::tensors::Manifest::read(checkpoint).verify(kModelFile);
  const fs::path path = checkpoint / kModelFile;
  auto file = std::make_unique<const io::tensors::ModelFile>(path);
  const std::vector<std::string> names = file->names();
  for (const model::shape::Parameter& parameter : table.parameters()) {
    if (!std::binary_search(names.begin(), names.end(), parameter.name)) {
      refuse_weights(path, fmt::format("lacks the tensor '{}'", parameter.name));
    }
    if (file->shape(parameter.name) != parameter.shape) {
      refuse_weights(path, fmt::format("has another shape for '{}' than model.json describes", parameter.name));
    }
  }
  if (names.size() != table.parameters().size()) refuse_weights(path, "has tensors that model.json does not describe");
  return file;
}

std::span<float> part_of(model::Arena& arena, std::int64_t begin, std::int64_t elements) {
  return arena.span().subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(elements));
}

}  // namespace

model::Arena read_weights(const fs::path& checkpoint, const ModelDescription& description,
                          const model::shape::ParameterTable& table) {
  const auto file = open_model_file(checkpoint, table);
  model::Arena arena(table.arena_size());
  for (const model::shape::Parameter& parameter : table.parameters()) {
    file->read(parameter.name, 0, part_of(arena, parameter.offset, parameter.size()));
  }
  if (const std::string hash = hash_of(arena.span()); hash != description.weights_hash) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}': the weights' hash is {}, model.json says {}",
                                                         checkpoint.string(), hash, description.weights_hash));
  }
  return arena;
}

model::Arena read_average(const fs::path& checkpoint, const ModelDescription& description,
                          const model::shape::ParameterTable& table) {
  if (!description.average) {
    throw failure::Error(
        failure::ExitCode::missing_input,
        fmt::format("'{}' keeps no average of its weights: pretrain --average makes one", checkpoint.string()));
  }
  if (description.average->arena_layout != arena_layout(table)) {
    refuse_weights(checkpoint, "has its average in another layout than this program's");
  }
  const io::tensors::Manifest manifest = io::tensors::Manifest::read(checkpoint);
  model::Arena arena(table.arena_size());
  auto missing = static_cast<std::uint64_t>(arena.size());
  for (const auto& entry : manifest.entries()) {
    if (!entry.name.starts_with(kAverageFiles)) continue;
    manifest.verify(entry.name);
    const io::tensors::OptimizerFile file(checkpoint / entry.name);
    const std::vector<std::string> slots = file.slots();
    if (slots.size() != 1)
      refuse_weights(checkpoint / entry.name, fmt::format("holds {}, not one average", fmt::join(slots, ", ")));
    missing -= file.read(slots.front(), 0, arena.span());
  }
  if (missing != 0) refuse_weights(checkpoint, "lacks the average of some parameters");
  return arena;
}

model::Arena read_mean(const std::vector<fs::path>& checkpoints, const model::shape::ParameterTable& table) {
  constexpr std::int64_t kPiece = 1 << 20;  // elements in memory beside the arena
  std::vector<std::unique_ptr<const io::tensors::ModelFile>> files;
  for (const fs::path& checkpoint : checkpoints) files.push_back(open_model_file(checkpoint, table));
  model::Arena arena(table.arena_size());
  std::vector<double> sums;
  std::vector<float> values;
  for (const model::shape::Parameter& parameter : table.parameters()) {
    const std::int64_t rows = parameter.shape[0];
    const std::int64_t width = parameter.size() / rows;
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, kPiece / width);
    for (std::int64_t row = 0; row < rows; row += rows_at_once) {
      const std::int64_t elements = std::min(rows_at_once, rows - row) * width;
      sums.assign(static_cast<std::size_t>(elements), 0);
      values.resize(sums.size());
      for (const auto& file : files) {
        file->read(parameter.name, row, values);
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(values[i]);
      }
      const std::span<float> mean = part_of(arena, parameter.offset + row * width, elements);
      for (std::size_t i = 0; i < sums.size(); ++i) {
        mean[i] = static_cast<float>(sums[i] / static_cast<double>(files.size()));
      }
    }
  }
  return arena;
}

}  // namespace chainrule::pipeline::models
