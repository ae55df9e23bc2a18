#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "io/tensors/stored_tensors.h"
#include "io/tokenizer/tokenizer.h"
#include "model/shape/config.h"
#include "pipeline/models/external/tensor_map.h"

namespace chainrule::pipeline::models::external {

/// A model of another system, mapped: what it is, and where its parameters lie.
struct ExternalModel {
  std::string kind = {};            ///< "Hugging Face model", "GGUF model", "llm.c model"
  std::filesystem::path path = {};  ///< the folder or file
  model::shape::Config config = {};
  std::shared_ptr<const io::tensors::StoredTensors> tensors = {};
  TensorMap map = {};
  std::function<io::tokenizer::Tokenizer()> load_tokenizer = {};  ///< empty where the model brings none
};

/// Opens a Hugging Face folder (config.json beside safetensors), a GGUF file or an llm.c model; empty where path is
/// none of them. Throws io::Error (missing_input, bad_data) for one that cannot be read or asks for what is not built.
std::optional<ExternalModel> open_external_model(const std::filesystem::path& path);

/// Its weights, which stay in the files.
std::shared_ptr<const model::weights::StoredWeights> weights_of(const ExternalModel& external);

}  // namespace chainrule::pipeline::models::external
