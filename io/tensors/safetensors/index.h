#pragma once
#include <map>
#include <string>
#include <string_view>

namespace chainrule::io::tensors::safetensors {

/// The file that each tensor of a model lies in, by the tensor's name.
using WeightMap = std::map<std::string, std::string>;

/// Reads model.safetensors.index.json: {"metadata": ..., "weight_map": {"tensor": "file"}}. Files are plain names of
/// files beside it; what `metadata` holds is not consulted. `file_name` is what messages name, in quotes. Throws Error
/// bad_data.
WeightMap parse_index(std::string_view text, std::string_view file_name);

}  // namespace chainrule::io::tensors::safetensors
