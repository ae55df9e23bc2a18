#pragma once
#include <string>

#include "model/shape/config.h"
#include "pipeline/models/external/tensor_map.h"

namespace chainrule::pipeline::models::external {

/// Where our parameters lie in a Hugging Face model. GPT-2's four products a layer are stored [in, out] there; prefix:
/// "transformer." or nothing; of Llama and its relatives "model." or nothing.
TensorMap hugging_face_gpt2_map(const model::shape::Config& config, const std::string& prefix);
TensorMap hugging_face_llama_map(const model::shape::Config& config, const std::string& prefix);

/// In a GGUF file; alternating: its queries and keys have the halves of heads alternate (architecture llama).
TensorMap gguf_map(const model::shape::Config& config, bool alternating);
TensorMap gguf_gpt2_map(const model::shape::Config& config);

/// In an llm.c model.
TensorMap llmc_map(const model::shape::Config& config);

}  // namespace chainrule::pipeline::models::external
