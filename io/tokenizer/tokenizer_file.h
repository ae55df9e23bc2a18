#pragma once
#include <filesystem>
#include <string>

#include "io/tokenizer/definition.h"

namespace chainrule::io::tokenizer {

/// Reads a tokenizer as Tokenizer::load says. Throws Error (missing_input, bad_data) naming file and place.
TokenizerDefinition read_tokenizer(const std::filesystem::path& path);

/// Reads a Hugging Face `tokenizer.json`: a byte-level BPE model. Its post-processor is not consulted (chainrule places
/// special tokens itself), nor its decoder (byte-level tokens have one meaning). Anything else that would change ids
/// and is not supported is an Error bad_data that names it.
TokenizerDefinition read_hugging_face(const std::filesystem::path& file);

/// Reads GPT-2's pair of files.
TokenizerDefinition read_gpt2(const std::filesystem::path& vocabulary, const std::filesystem::path& merges);

/// A Hugging Face `tokenizer.json` of the definition; equal definitions give equal text.
std::string write_hugging_face(const TokenizerDefinition& definition);

}  // namespace chainrule::io::tokenizer
