#pragma once
#include <cstdint>

#include "io/tokenizer/file_fields.h"
#include "io/tokenizer/source.h"

namespace chainrule::io::tokenizer {

// The members of tokenizer.json beside its model and added tokens. Each sets what it says in source; what is not
// supported is an Error bad_data that names it.

void read_normalizer(const FileFields& fields, const nlohmann::json& normalizer, TokenizerSource& source);

/// With a ByteLevel at its end the tokenizer is byte-level, without one its tokens are spelled in characters.
void read_pre_tokenizer(const FileFields& fields, const nlohmann::json& pre_tokenizer, TokenizerSource& source);

/// What goes before and after a text.
void read_post_processor(const FileFields& fields, const nlohmann::json& post_processor, TokenizerSource& source);

/// What stands for a space in tokens that are spelled in characters. Byte-level tokens have one meaning: their decoder
/// is not consulted.
void read_decoder(const FileFields& fields, const nlohmann::json& decoder, CharacterAlphabet& characters);

/// A token of 'added_tokens', or of 'added_tokens_decoder' in tokenizer_config.json.
TokenizerSource::Added read_added_token(const FileFields& fields, const nlohmann::json& token, std::uint64_t id);

/// What files that we wrote say beyond the library's format, in a member kOwnKey.
void read_own(const FileFields& fields, const nlohmann::json& own, TokenizerSource& source);

}  // namespace chainrule::io::tokenizer
