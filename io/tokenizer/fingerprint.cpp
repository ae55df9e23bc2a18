#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "io/files/digest.h"
#include "io/tokenizer/definition.h"

namespace chainrule::io::tokenizer {
namespace {

void update(files::Digest& digest, std::uint64_t value) {
  std::array<unsigned char, 8> bytes{};
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(value >> (8U * i));
  digest.update(bytes.data(), bytes.size());
}

void update(files::Digest& digest, std::string_view text) {
  update(digest, text.size());
  digest.update(text.data(), text.size());
}

}  // namespace

std::string fingerprint_of(const TokenizerDefinition& definition) {
  files::Digest digest;
  update(digest, "chainrule tokenizer 1");
  update(digest, definition.tokens.size());
  for (const auto& token : definition.tokens) update(digest, token);
  for (const TokenId id : definition.byte_ids) update(digest, id);
  update(digest, definition.merges.size());
  for (const auto& merge : definition.merges) {
    update(digest, merge.left);
    update(digest, merge.right);
    update(digest, merge.result);
  }
  update(digest, definition.added.size());
  for (const auto& token : definition.added) {
    update(digest, token.id);
    update(digest, token.special ? 1U : 0U);
  }
  update(digest, definition.end_of_text);
  update(digest, definition.pattern);
  update(digest, definition.add_prefix_space ? 1U : 0U);
  update(digest, definition.ignore_merges ? 1U : 0U);
  // What few tokenizers have leaves the fingerprints of all others as they were.
  for (const auto& token : definition.added) {
    if (!token.normalized) continue;
    update(digest, "normalized");
    update(digest, token.id);
  }
  if (definition.matches_only) update(digest, "matches only");
  return digest.hexadecimal();
}

}  // namespace chainrule::io::tokenizer
