#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/tokenizer/piecewise_encoder.h"
#include "io/tokenizer/tokenizer.h"
#include "tests/fuzz/target.h"

namespace chainrule::fuzz {

/// The ids of a text with something of all kinds in it, a piece that is merged as long ones are among it. Ids are of
/// the vocabulary and can be decoded, and a text that comes in pieces has those of the whole. Throws io::Error
/// bad_data.
inline std::vector<io::tokenizer::TokenId> ids_of_text(const io::tokenizer::Tokenizer& tokenizer) {
  static const std::string text =
      "Don't we'll  stop at 1234 caf\u00e9s, e\u0301t\u00e9\r\n\xff \u2581to <b>\u4e00\u30a0 XyZ/ " +
      std::string(70, 't') + "abab <|endoftext|> ";
  std::vector<io::tokenizer::TokenId> ids;
  tokenizer.encode_with_special_tokens(text, ids);
  for (const auto id : ids) require(id < tokenizer.vocabulary_size(), "ids are of the vocabulary");
  static_cast<void>(tokenizer.decode(ids));

  std::vector<io::tokenizer::TokenId> ids_of_pieces;
  const auto take = [&](std::span<const io::tokenizer::TokenId> some, std::size_t) {
    ids_of_pieces.insert(ids_of_pieces.end(), some.begin(), some.end());
  };
  io::tokenizer::PiecewiseEncoder encoder(tokenizer, take, true, 16);
  for (std::size_t at = 0; at < text.size(); at += 5) encoder.append(std::string_view(text).substr(at, 5));
  encoder.finish();
  require(ids_of_pieces == ids, "pieces have the ids of the whole");
  return ids;
}

}  // namespace chainrule::fuzz
