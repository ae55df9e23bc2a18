#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/tokenizer/definition.h"
#include "io/tokenizer/source.h"

namespace chainrule::io::tokenizer {

/// Reads a tokenizer as Tokenizer::load says. Throws Error (missing_input, bad_data) naming file and place.
TokenizerDefinition read_tokenizer(const std::filesystem::path& path);

/// Reads a Hugging Face `tokenizer.json` with a BPE model. Anything that would change ids and is not supported is an
/// Error bad_data that names it.
TokenizerSource read_hugging_face(const std::filesystem::path& file);

/// Reads GPT-2's pair of files, `vocab.json` and `merges.txt`.
TokenizerSource read_gpt2(const std::filesystem::path& vocabulary, const std::filesystem::path& merges);

/// Reads a file of tokens and ranks in tiktoken's form, a line `base64(token) rank`, that is one of those published:
/// the file holds neither its pattern nor its special tokens. Throws Error bad_data for others, and for a model of
/// SentencePiece.
TokenizerSource read_tiktoken(const std::filesystem::path& file);

/// The tokens of such a file's text, of which the place of each is its rank. Throws Error bad_data naming file and
/// line.
std::vector<std::string> parse_tiktoken(std::string_view text, const std::filesystem::path& file);

/// Other models' tokenizers have files of GPT-2's form and cut text otherwise: takes from `tokenizer_config.json`
/// beside them, where there is one, whose they are (GPT-2's or Qwen2's), the added tokens, and those that go around a
/// text. Throws Error bad_data for others, also where only `config.json` says so, and for an `added_tokens.json` alone.
void read_tokenizer_class(const std::filesystem::path& folder, TokenizerSource& source);

/// Takes from `tokenizer_config.json`, where it lies beside, which tokens begin and end a text, and its member kOwnKey.
/// Throws Error bad_data.
void read_tokenizer_config(const std::filesystem::path& folder, TokenizerSource& source);

/// A Hugging Face `tokenizer.json` of the definition; equal definitions give equal text. What that format has no place
/// for is in a member kOwnKey, unless it is for the library `tokenizers`, which reads no file with such a member.
std::string write_hugging_face(const TokenizerDefinition& definition, bool for_library);

/// What a file for the library lacks, as the value of a member kOwnKey in `tokenizer_config.json`; empty where that is
/// nothing, or what that file says of the tokens that begin and end a text.
std::string write_beyond_library(const TokenizerDefinition& definition);

inline constexpr const char* kOwnKey = "chainrule";

}  // namespace chainrule::io::tokenizer
