#pragma once
#include <string>

#include "io/error.h"

namespace chainrule::io::tokenizer {

/// Matching a pattern in a text passed the engine's limits: the text has no ids. Says at which byte, not of which text.
struct MatchingGaveUp : Error {
  explicit MatchingGaveUp(const std::string& message) : Error(ErrorKind::bad_data, message) {}
};

/// Calls encode, which makes ids of a text. Where it has none, what is thrown is an Error with the text's name before
/// it.
template <typename Encode>
void name_text(const std::string& name, const Encode& encode) {
  try {
    encode();
  } catch (const MatchingGaveUp& error) {
    throw Error(error.kind(), name + ": " + error.what());
  }
}

}  // namespace chainrule::io::tokenizer
