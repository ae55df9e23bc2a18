#pragma once
#include <nlohmann/json_fwd.hpp>

#include "io/tensors/encoding.h"
#include "io/tensors/llmc/header.h"
#include "io/tokenizer/tokenizer.h"
#include "model/shape/config.h"

namespace chainrule::pipeline::convert {

/// config.json of a Hugging Face model that computes the same: gpt2, llama, mistral (with a window), qwen2 (biases of
/// queries, keys and values) or qwen3 (QK-norm), as transformers 4 and 5 read it. Throws io::Error bad_data naming the
/// first field that no such class has in common with the rest.
nlohmann::ordered_json hugging_face_config(const model::shape::Config& config,
                                           const io::tokenizer::Tokenizer& tokenizer, io::tensors::Encoding encoding);

/// tokenizer_config.json beside tokenizer.json.
nlohmann::ordered_json hugging_face_tokenizer_config(const model::shape::Config& config,
                                                     const io::tokenizer::Tokenizer& tokenizer);

/// The header of an llm.c model that computes the same. Throws io::Error bad_data naming the field in which config is
/// no GPT-2 as llm.c has it.
io::tensors::llmc::Header llmc_header(const model::shape::Config& config, io::tensors::Encoding encoding);

/// Whether two shapes compute the same: what is a default in one may be spelled in the other, and how weights begin
/// does not matter.
bool compute_the_same(model::shape::Config one, model::shape::Config other);

}  // namespace chainrule::pipeline::convert
