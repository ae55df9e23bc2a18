#pragma once
#include <filesystem>

#include "pipeline/models/external/external_model.h"

namespace chainrule::pipeline::models::external {

/// A GGUF file of architecture llama, qwen2, qwen3 or gpt2; a tokenizer lies beside it. Throws io::Error
/// (missing_input, bad_data naming the key that asks for something that is not built).
ExternalModel open_gguf(const std::filesystem::path& path);

}  // namespace chainrule::pipeline::models::external
