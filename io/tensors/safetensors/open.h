#pragma once
#include <filesystem>

#include "io/tensors/mapped_tensors.h"

namespace chainrule::io::tensors::safetensors {

inline constexpr const char* kFileName = "model.safetensors";
inline constexpr const char* kIndexName = "model.safetensors.index.json";

/// Maps a model's tensors: path is a safetensors file, an index of several, or a folder with model.safetensors or,
/// where there is none, model.safetensors.index.json. Each tensor must lie in the file that the index names for it, and
/// in no other. Throws Error (missing_input, bad_data).
MappedTensors open(const std::filesystem::path& path);

}  // namespace chainrule::io::tensors::safetensors
