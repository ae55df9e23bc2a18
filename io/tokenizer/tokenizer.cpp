#include "io/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/tokenizer/added_tokens.h"
#include "io/tokenizer/definition.h"
#include "io/tokenizer/encoder.h"
#include "io/tokenizer/tokenizer_file.h"

namespace chainrule::io::tokenizer {

struct Tokenizer::State {
  explicit State(TokenizerDefinition checked)
      : definition(std::move(checked)),
        fingerprint(fingerprint_of(definition)),
        encoder(definition),
        first_matched(definition, false),
        then_matched(definition, true) {
    is_special.resize(definition.tokens.size());
    for (const AddedToken& token : definition.added) is_special[token.id] = token.special;
  }

  void encode(std::string_view text, bool special, std::vector<TokenId>& ids) const {
    const auto token = [&](TokenId id) { ids.push_back(id); };
    const auto plain = [&](std::string_view part) { encoder.encode(part, ids); };
    first_matched.split(
        text, special, [&](std::string_view part) { then_matched.split(part, special, plain, token); }, token);
  }

  TokenizerDefinition definition;
  std::string fingerprint;
  Encoder encoder;
  AddedTokenFinder first_matched;  // in the whole text
  AddedTokenFinder then_matched;   // in what the first leave over
  std::vector<bool> is_special;    // by id
};

Tokenizer::Tokenizer(std::unique_ptr<const State> state) : state_(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  return Tokenizer(std::make_unique<const State>(read_tokenizer(path)));
}

Tokenizer Tokenizer::from_merges(const std::vector<Merge>& merges) {
  return Tokenizer(std::make_unique<const State>(define_trained(merges)));
}

std::uint32_t Tokenizer::vocabulary_size() const {
  return static_cast<std::uint32_t>(state_->definition.tokens.size());
}

TokenId Tokenizer::end_of_text() const { return state_->definition.end_of_text; }
TokenId Tokenizer::start_token() const { return end_of_text(); }

std::string Tokenizer::fingerprint() const { return state_->fingerprint; }

void Tokenizer::encode(std::string_view text, std::vector<TokenId>& ids) const { state_->encode(text, false, ids); }

void Tokenizer::encode_with_special_tokens(std::string_view text, std::vector<TokenId>& ids) const {
  state_->encode(text, true, ids);
}

std::size_t Tokenizer::settled_prefix(std::string_view text) const {
  if (state_->first_matched.has_spaces() || state_->then_matched.has_spaces()) return 0;
  return state_->encoder.settled_prefix(text);
}

std::string_view Tokenizer::token_bytes(TokenId id) const {
  const auto& tokens = state_->definition.tokens;
  if (id >= tokens.size()) {
    throw Error(ErrorKind::bad_data, fmt::format("token {} is outside the vocabulary of {}", id, tokens.size()));
  }
  return tokens[id];
}

bool Tokenizer::is_special(TokenId id) const { return id < state_->is_special.size() && state_->is_special[id]; }

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  std::string text;
  for (const TokenId id : ids) text += token_bytes(id);
  return text;
}

void Tokenizer::save(const std::filesystem::path& path) const { files::write_file_atomically(path, to_json()); }

std::string Tokenizer::to_json() const { return write_hugging_face(state_->definition); }

}  // namespace chainrule::io::tokenizer
