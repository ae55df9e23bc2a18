#include "io/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/tokenizer/added_tokens.h"
#include "io/tokenizer/definition.h"
#include "io/tokenizer/encoder.h"
#include "io/tokenizer/gguf_vocabulary.h"
#include "io/tokenizer/normalizer.h"
#include "io/tokenizer/tokenizer_file.h"

namespace chainrule::io::tokenizer {
namespace {

/// Whether a text's spaces become the character that tokens spell them with.
bool spells_spaces(const TokenizerDefinition& definition) {
  const auto is = []<class Kind>(const auto& steps) {
    return std::any_of(steps.begin(), steps.end(), [](const auto& step) { return std::holds_alternative<Kind>(step); });
  };
  return is.template operator()<Replace>(definition.normalizations) ||
         is.template operator()<Metaspace>(definition.pre_tokenizations);
}

/// The bytes of tokens that are spelled in characters; none where they are spelled in bytes.
std::vector<std::string> decoded_tokens(const TokenizerDefinition& definition) {
  if (!definition.characters) return {};
  std::vector<std::string> decoded = definition.tokens;
  const std::string& space = definition.characters->space;
  for (std::string& token : decoded) {
    for (std::size_t at = 0; !space.empty() && (at = token.find(space, at)) != std::string::npos; ++at) {
      token.replace(at, space.size(), 1, ' ');
    }
  }
  if (definition.characters->byte_fallback) {
    for (unsigned byte = 0; byte < definition.byte_ids.size(); ++byte) {
      decoded[definition.byte_ids[byte]] = std::string(1, static_cast<char>(byte));
    }
  }
  for (const AddedToken& token : definition.added) decoded[token.id] = definition.tokens[token.id];
  return decoded;
}

}  // namespace

struct Tokenizer::State {
  explicit State(TokenizerDefinition checked)
      : definition(std::move(checked)),
        fingerprint(fingerprint_of(definition)),
        normalizer(definition.normalizations),
        encoder(definition),
        first_matched(definition, normalizer, false),
        then_matched(definition, normalizer, true),
        spelled(decoded_tokens(definition)) {
    is_special.resize(definition.tokens.size());
    for (const AddedToken& token : definition.added) is_special[token.id] = token.special;
  }

  void encode(std::string_view text, bool at_start, bool special, std::vector<TokenId>& ids) const {
    const auto token = [&](TokenId id) { ids.push_back(id); };
    first_matched.split(
        text, special,
        [&](std::string_view part, std::size_t part_begin) {
          std::string changed;
          then_matched.split(
              normalizer.apply(part, at_start || part_begin != 0, changed), special,
              [&](std::string_view plain, std::size_t begin) {
                encoder.encode(plain, at_start && part_begin == 0 && begin == 0, ids);
              },
              token);
        },
        token);
  }

  const std::vector<std::string>& bytes() const { return definition.characters ? spelled : definition.tokens; }

  TokenizerDefinition definition;
  std::string fingerprint;
  Normalizer normalizer;
  Encoder encoder;
  AddedTokenFinder first_matched;    // in the whole text
  AddedTokenFinder then_matched;     // in what the first leave over, normalized
  std::vector<std::string> spelled;  // the bytes of tokens that are spelled in characters
  std::vector<bool> is_special;      // by id
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

Tokenizer Tokenizer::from_gguf(const GgufVocabulary& vocabulary) {
  return Tokenizer(std::make_unique<const State>(define_gguf(vocabulary)));
}

std::uint32_t Tokenizer::vocabulary_size() const {
  return static_cast<std::uint32_t>(state_->definition.tokens.size());
}

TokenId Tokenizer::end_of_text() const { return state_->definition.end_of_text; }
TokenId Tokenizer::start_token() const { return state_->definition.start; }
std::optional<TokenId> Tokenizer::named_start() const { return state_->definition.named_start; }
std::optional<TokenId> Tokenizer::named_end() const { return state_->definition.named_end; }
const std::vector<TokenId>& Tokenizer::template_before() const { return state_->definition.before; }
const std::vector<TokenId>& Tokenizer::template_after() const { return state_->definition.after; }

std::string Tokenizer::fingerprint() const { return state_->fingerprint; }

void Tokenizer::encode(std::string_view text, std::vector<TokenId>& ids) const { encode_part(text, true, false, ids); }

void Tokenizer::encode_with_special_tokens(std::string_view text, std::vector<TokenId>& ids) const {
  encode_part(text, true, true, ids);
}

void Tokenizer::encode_part(std::string_view text, bool at_start, bool special_tokens,
                            std::vector<TokenId>& ids) const {
  state_->encode(text, at_start, special_tokens, ids);
}

void Tokenizer::encode_in_template(std::string_view text, std::vector<TokenId>& ids) const {
  const TokenizerDefinition& definition = state_->definition;
  ids.insert(ids.end(), definition.before.begin(), definition.before.end());
  encode_with_special_tokens(text, ids);
  ids.insert(ids.end(), definition.after.begin(), definition.after.end());
}

std::size_t Tokenizer::settled_prefix(std::string_view text) const {
  const State& state = *state_;
  const auto& characters = state.definition.characters;
  if (!(characters ? state.normalizer.only_spells_spaces(characters->space) : state.normalizer.works_in_parts())) {
    return 0;
  }
  if (characters && !characters->space.empty() && !spells_spaces(state.definition)) return 0;
  if (state.first_matched.needs_whole_text() || state.then_matched.needs_whole_text()) return 0;
  std::size_t settled = state.encoder.settled_prefix(text);
  // Behind an added token a tokenizer of characters may put a space, but not where a part goes on.
  while (settled > 0 &&
         (state.first_matched.may_end_in(text[settled - 1]) || state.then_matched.may_end_in(text[settled - 1]))) {
    settled = state.encoder.settled_prefix(text.substr(0, settled));
  }
  return settled;
}

std::string_view Tokenizer::token_bytes(TokenId id) const {
  require_known(id);
  return state_->bytes()[id];
}

std::string Tokenizer::token_spelling(TokenId id) const {
  require_known(id);
  return spelling_of(state_->definition, id);
}

void Tokenizer::require_known(TokenId id) const {
  if (id < vocabulary_size()) return;
  throw Error(ErrorKind::bad_data, fmt::format("token {} is outside the vocabulary of {}", id, vocabulary_size()));
}

bool Tokenizer::is_special(TokenId id) const { return id < state_->is_special.size() && state_->is_special[id]; }

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  std::string text;
  const auto& characters = state_->definition.characters;
  bool strips = characters && characters->strips_first_space;
  for (const TokenId id : ids) {
    std::string_view bytes = token_bytes(id);
    if (strips && !is_special(id)) {
      strips = false;
      if (bytes.starts_with(' ')) bytes.remove_prefix(1);
    }
    text += bytes;
  }
  return text;
}

void Tokenizer::save(const std::filesystem::path& path) const { files::write_file_atomically(path, to_json()); }

std::string Tokenizer::to_json() const { return write_hugging_face(state_->definition, false); }
std::string Tokenizer::to_library_json() const { return write_hugging_face(state_->definition, true); }
std::string Tokenizer::beyond_library_json() const { return write_beyond_library(state_->definition); }

}  // namespace chainrule::io::tokenizer
