#pragma once
#include <bit>
#include <cstdint>
#include <string_view>

/// Token files of other systems: llm.c's and nanoGPT's .bin, Megatron's .bin with its .idx. All are little-endian.
namespace chainrule::io::tokens::foreign {

static_assert(std::endian::native == std::endian::little, "values of token files are copied as they lie");

/// The integer that a token is stored as.
struct TokenType {
  std::uint8_t bytes = 2;  ///< 1, 2, 4 or 8
  bool is_signed = false;

  bool operator==(const TokenType&) const = default;
};

/// What files are laid out like.
enum class Layout {
  llmc,      ///< a header, then tokens; end-of-text stands before each document, which may go on in the next file
  megatron,  ///< tokens, and an index beside them that says where documents begin
  nanogpt,   ///< u16 tokens alone; end-of-text stands behind each document
};

/// "llm.c", "Megatron", "nanoGPT".
constexpr std::string_view name_of(Layout layout) {
  return layout == Layout::llmc ? "llm.c" : layout == Layout::megatron ? "Megatron" : "nanoGPT";
}

}  // namespace chainrule::io::tokens::foreign
