#pragma once
#include <cstdint>
#include <filesystem>

#include "pipeline/models/average_name.h"
#include "pipeline/models/loaded_model.h"

namespace chainrule::pipeline::models {

/// What is read of a checkpoint: its weights, or the average that it keeps of them.
enum class Which { weights, average };

// As load_model() reads a checkpoint, a run and an average. Each throws io::Error (missing_input, bad_data).

LoadedModel load_checkpoint(const std::filesystem::path& folder, Which which, const CheckpointReader& also);

/// A run's highest step that is whole. Throws failure::Error (missing_input) where that keeps no average and is to.
LoadedModel load_highest(const std::filesystem::path& run, Which which, const CheckpointReader& also);

LoadedModel load_average(const AverageName& name, const CheckpointReader& also);

/// Whether the run has come further than step.
bool has_newer(const std::filesystem::path& run, std::int64_t step);

}  // namespace chainrule::pipeline::models
