#pragma once
#include "io/tensors/stored_tensors.h"
#include "model/shape/config.h"
#include "pipeline/models/external/gguf_keys.h"

namespace chainrule::pipeline::models::external {

/// The tensor of a Llama file that divides rotary frequencies, one by one.
inline constexpr const char* kFrequencyFactors = "rope_freqs.weight";

/// Reads the keys rope.*, and of a Llama the factors of frequencies, as llama.cpp applies them. Writes config.rotary;
/// the context and the widths of heads are there already.
void read_gguf_rotary(GgufKeys& keys, const io::tensors::StoredTensors& tensors, bool is_llama,
                      model::shape::Config& config);

}  // namespace chainrule::pipeline::models::external
