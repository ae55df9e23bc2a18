#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "io/tensors/encoding.h"

namespace chainrule::pipeline::convert {

enum class Format { hugging_face, llmc, checkpoint };

struct ConvertOptions {
  std::filesystem::path model;   ///< whatever models::load_model reads
  std::filesystem::path output;  ///< a new or empty folder, for llm.c a new file
  Format format = Format::hugging_face;
  io::tensors::Encoding encoding = io::tensors::Encoding::f32;  ///< or bf16; checkpoints are f32
};

/// What was made.
struct Converted {
  std::int64_t parameters = 0;
  std::string weights_hash;  ///< of a checkpoint
  /// What is written for other programs lacks how the tokenizer merges, which their format cannot say.
  bool tokenizer_is_ours = false;
};

/// Writes a model as another system has it, or as a checkpoint of step 0, some rows of a tensor at a time. The output
/// is read back and compared, and appears whole or not at all; llm.c's tokenizer.json is written beside it where there
/// is none yet. Throws io::Error: cannot_create for an output that is there (before anything is read), bad_data naming
/// what the format cannot express, and what reading the model throws.
Converted convert(const ConvertOptions& options);

}  // namespace chainrule::pipeline::convert
