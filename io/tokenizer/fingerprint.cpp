#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "io/files/digest.h"
#include "io/tokenizer/definition.h"
#include "io/tokenizer/piece_scanner.h"

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

/// What the first tokenizers that were supported did before merging; all that follows is of later ones.
struct FirstForm {
  std::string_view pattern{};
  bool add_prefix_space = false;
  bool matches_only = false;
  bool complete = true;  // nothing else is done
};

bool is_first_split(const Split& split) {
  const bool isolated = split.behavior == SplitBehavior::isolated && !split.invert;
  const bool matches_only = split.behavior == SplitBehavior::removed && split.invert;
  return !split.literal && (isolated || matches_only);
}

FirstForm first_form_of(const TokenizerDefinition& definition) {
  FirstForm form;
  const auto& steps = definition.pre_tokenizations;
  std::size_t at = 0;
  if (at < steps.size() && std::holds_alternative<PrefixSpace>(steps[at])) {
    form.add_prefix_space = true;
    ++at;
  }
  const Split* split = at < steps.size() ? std::get_if<Split>(&steps[at]) : nullptr;
  if (split != nullptr && is_first_split(*split) && (!form.add_prefix_space || split->pattern == kGpt2Pattern)) {
    form.pattern = split->pattern;
    form.matches_only = split->behavior == SplitBehavior::removed;
    ++at;
  }
  form.complete = at == steps.size() && definition.normalizations.empty() && !definition.characters;
  return form.complete ? form : FirstForm{.complete = false};
}

void update(files::Digest& digest, const Normalization& step) {
  update(digest, step.index());
  if (const auto* prepend = std::get_if<Prepend>(&step)) update(digest, prepend->text);
  if (const auto* replace = std::get_if<Replace>(&step)) {
    update(digest, replace->text);
    update(digest, replace->by);
  }
}

void update(files::Digest& digest, const PreTokenization& step) {
  update(digest, step.index());
  if (const auto* split = std::get_if<Split>(&step)) {
    update(digest, split->pattern);
    update(digest, split->literal ? 1U : 0U);
    update(digest, static_cast<std::uint64_t>(split->behavior));
    update(digest, split->invert ? 1U : 0U);
  }
  if (const auto* digits = std::get_if<CutDigits>(&step)) update(digest, digits->individually ? 1U : 0U);
  if (const auto* metaspace = std::get_if<Metaspace>(&step)) {
    update(digest, metaspace->replacement);
    update(digest, static_cast<std::uint64_t>(metaspace->before));
    update(digest, metaspace->split ? 1U : 0U);
  }
}

void update(files::Digest& digest, const CharacterAlphabet& characters) {
  update(digest, "characters");
  update(digest, characters.byte_fallback ? 1U : 0U);
  update(digest, characters.space);
  update(digest, characters.strips_first_space ? 1U : 0U);
}

/// Steps that came later than the first form.
void update_steps(files::Digest& digest, const TokenizerDefinition& definition) {
  update(digest, "normalizations");
  update(digest, definition.normalizations.size());
  for (const Normalization& step : definition.normalizations) update(digest, step);
  update(digest, "pre-tokenizations");
  update(digest, definition.pre_tokenizations.size());
  for (const PreTokenization& step : definition.pre_tokenizations) update(digest, step);
  if (definition.characters) update(digest, *definition.characters);
}

/// How an added token is matched, where it is not as most are.
void update_matching(files::Digest& digest, const AddedToken& token) {
  const auto mark = [&](bool is, std::string_view name) {
    if (!is) return;
    update(digest, name);
    update(digest, token.id);
  };
  mark(token.normalized, "normalized");
  mark(token.strips_left, "lstrip");
  mark(token.strips_right, "rstrip");
  mark(token.single_word, "single word");
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
  const FirstForm form = first_form_of(definition);
  update(digest, form.pattern);
  update(digest, form.add_prefix_space ? 1U : 0U);
  update(digest, definition.ignore_merges ? 1U : 0U);
  // What few tokenizers have leaves the fingerprints of all others as they were.
  for (const AddedToken& token : definition.added) update_matching(digest, token);
  if (form.matches_only) update(digest, "matches only");
  if (!form.complete) update_steps(digest, definition);
  if (definition.unknown) {
    update(digest, "unknown");
    update(digest, *definition.unknown);
    update(digest, definition.fuse_unknown ? 1U : 0U);
  }
  if (definition.ranked_by_result) update(digest, "ranked by result");
  if (!definition.tied_results.empty()) update(digest, "tied");
  for (const TokenId id : definition.tied_results) update(digest, id);
  return digest.hexadecimal();
}

}  // namespace chainrule::io::tokenizer
