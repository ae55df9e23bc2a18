#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/tokenizer/definition.h"

namespace chainrule::io::tokenizer {

/// A tokenizer as its files spell it, not yet checked.
struct TokenizerSource {
  struct Added {
    std::string spelling;
    std::uint64_t id;
    bool special;
    bool normalized = false;
    bool strips_left = false;
    bool strips_right = false;
    bool single_word = false;
  };
  /// A token of the template, which names it with its id.
  struct Around {
    std::string spelling;
    std::optional<std::uint64_t> id = {};
  };
  std::filesystem::path path;                                     ///< for messages
  std::vector<std::pair<std::string, std::uint64_t>> vocabulary;  ///< in the spelling of byte_map.h, but added tokens
  std::vector<std::pair<std::string, std::string>> merges;
  bool ranked_by_result = false;
  std::vector<std::string> tied_results;  ///< spellings
  bool ignore_merges = false;
  std::vector<Added> added;
  std::vector<Normalization> normalizations;
  std::vector<PreTokenization> pre_tokenizations;
  std::optional<CharacterAlphabet> characters;
  std::string unknown_token;  ///< empty: none
  bool fuse_unknown = false;
  std::vector<Around> before, after;  ///< the template's tokens
  std::string post_processor;         ///< as in TokenizerDefinition
  std::string end_token;              ///< the spelling that files beside give for the end of a text; may be empty
  std::string start_token;            ///< likewise for its start
  std::string bos_token, eos_token;   ///< the spellings of what files name so; may be empty
  bool trusts_added_ids = false;      ///< ids are the model's, whatever the library 'tokenizers' would give
};

/// Checks that ids are exactly 0 .. V-1, merges join tokens into tokens, and added tokens have the
/// ids that Hugging Face's library would give them. The end of a text is the first of these that is a special token:
/// `<|endoftext|>`, `<|end_of_text|>` (both special wherever they are in the vocabulary), end_token, `</s>`,
/// `<｜end▁of▁sentence｜>`, `<eos>`. Its start is start_token, else the first token of the template, else its end.
/// Throws Error bad_data.
TokenizerDefinition define(const TokenizerSource& source);

/// Throws Error bad_data: "tokenizer 'PATH': WHAT".
[[noreturn]] void refuse_tokenizer(const std::filesystem::path& path, const std::string& what);

}  // namespace chainrule::io::tokenizer
