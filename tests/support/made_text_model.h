#pragma once
#include <cstdint>

#include "pipeline/models/text_model.h"

namespace chainrule::tests {

/// A small model with random weights, far from uniform, over the 256 bytes and end-of-text: every byte is a token, so
/// that text and tokens can be told from each other without a trained tokenizer.
pipeline::models::TextModel made_text_model(std::int64_t sequence_length, std::uint64_t seed = 1);

}  // namespace chainrule::tests
