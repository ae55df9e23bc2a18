#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/tokenizer/tokenizer.h"

namespace chainrule::io::tokenizer {

/// Encodes a text that comes in pieces to the ids of the whole, as far at a time as what follows cannot change, so that
/// it need not be held. Only where that cannot be known (patterns and steps of no family) is it held to its end.
class PiecewiseEncoder {
 public:
  static constexpr std::size_t kTextBytes = std::size_t{1} << 20U;

  /// Takes the next ids and the bytes of the text that they encode.
  using Take = std::function<void(std::span<const TokenId> ids, std::size_t text_bytes)>;

  /// tokenizer outlives it. special_tokens: those spelled out in the text become their ids. Encodes once it holds
  /// text_bytes.
  PiecewiseEncoder(const Tokenizer& tokenizer, Take take, bool special_tokens = false,
                   std::size_t text_bytes = kTextBytes);

  /// Both throw MatchingGaveUp, and what take throws.
  void append(std::string_view text);
  /// The rest, behind which no text comes.
  void finish();

 private:
  void encode(std::size_t bytes);

  const Tokenizer& tokenizer_;
  Take take_;
  bool special_tokens_;
  std::size_t text_bytes_;
  std::string text_;  // that is not encoded
  bool begun_ = false;
  std::size_t next_try_;  // bytes of text_ at which it is looked at again
  std::vector<TokenId> ids_;
};

}  // namespace chainrule::io::tokenizer
