#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace chainrule::io::tokenizer {

/// GPT-2's spelling of bytes as printable characters: bytes 33-126, 161-172 and 174-255 are the code points of the same
/// number; the other 68, ascending, are U+0100 onwards. Vocabulary files spell tokens this way.
/// Source: Radford et al. 2019, the bytes_to_unicode table published with GPT-2.

/// The 256 bytes in the order of their characters, which is the order of their ids in GPT-2 and in what we train.
const std::array<unsigned char, 256>& bytes_in_character_order();

/// bytes in GPT-2's spelling (UTF-8).
std::string spell_bytes(std::string_view bytes);

/// The bytes that a spelling stands for; nothing where a character of it stands for no byte.
std::optional<std::string> unspell_bytes(std::string_view spelling);

}  // namespace chainrule::io::tokenizer
