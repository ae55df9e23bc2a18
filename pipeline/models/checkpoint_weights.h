#pragma once
#include <filesystem>
#include <string_view>
#include <vector>

#include "model/arena.h"
#include "model/shape/parameters.h"
#include "pipeline/models/model_description.h"

namespace chainrule::pipeline::models {

/// Begin the names of the files that hold a checkpoint's average: of an optimizer's form, with one slot.
inline constexpr std::string_view kAverageFiles = "average-";

// Each returns an arena laid out by table, and throws io::Error where a file is not what the checkpoint's manifest
// says, or is of another model.

/// The weights of a checkpoint, whose model.json says description.
model::Arena read_weights(const std::filesystem::path& checkpoint, const ModelDescription& description,
                          const model::shape::ParameterTable& table);

/// The average that a checkpoint keeps of its weights, from whatever number of files. Throws failure::Error
/// (missing_input) where it keeps none.
model::Arena read_average(const std::filesystem::path& checkpoint, const ModelDescription& description,
                          const model::shape::ParameterTable& table);

/// The mean of the weights of checkpoints: of each, the sum in float64 in their order, divided and rounded once.
model::Arena read_mean(const std::vector<std::filesystem::path>& checkpoints,
                       const model::shape::ParameterTable& table);

}  // namespace chainrule::pipeline::models
