#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/tokenizer/definition.h"

namespace chainrule::io::tokenizer {

/// The keys `tokenizer.ggml.*` of a GGUF file.
struct GgufVocabulary {
  std::filesystem::path path;             ///< for messages
  std::string model;                      ///< "gpt2": byte-level BPE; "llama": SentencePiece's BPE by scores
  std::string pre;                        ///< the name of the pre-tokenizer, of "gpt2"
  std::vector<std::string> tokens;        ///< by id
  std::vector<float> scores;              ///< by id, of "llama"
  std::vector<std::int64_t> token_types;  ///< by id: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
  std::vector<std::string> merges;        ///< "left right", of "gpt2"
  std::optional<std::uint32_t> bos_token_id;
  std::optional<std::uint32_t> eos_token_id;
  std::optional<std::uint32_t> unknown_token_id;
  std::optional<bool> add_bos_token;  ///< absent: as llama.cpp has it, which is true of "llama" and of Llama 3's `pre`
  bool add_eos_token = false;
  bool add_space_prefix = true;  ///< of "llama"
};

/// Its tokenizer: as the Hugging Face tokenizer that the file was made from, form C included where that has it. Throws
/// Error bad_data naming the key.
TokenizerDefinition define_gguf(const GgufVocabulary& vocabulary);

}  // namespace chainrule::io::tokenizer
