// Writes Hugging Face's tokenizer.json.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "io/tokenizer/byte_map.h"
#include "io/tokenizer/piece_scanner.h"
#include "io/tokenizer/tokenizer_file.h"

namespace chainrule::io::tokenizer {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson byte_level(bool add_prefix_space, bool use_regex) {
  return {
      {"type", "ByteLevel"}, {"add_prefix_space", add_prefix_space}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

OrderedJson json_of(const Normalization& step) {
  if (const auto* prepend = std::get_if<Prepend>(&step)) return {{"type", "Prepend"}, {"prepend", prepend->text}};
  if (const auto* replace = std::get_if<Replace>(&step)) {
    return {{"type", "Replace"}, {"pattern", {{"String", replace->text}}}, {"content", replace->by}};
  }
  return {{"type", "NFC"}};
}

const char* name_of(SplitBehavior behavior) {
  static constexpr std::array kNames = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
  return kNames.at(static_cast<std::size_t>(behavior));
}

OrderedJson json_of(const PreTokenization& step) {
  if (const auto* split = std::get_if<Split>(&step)) {
    return {{"type", "Split"},
            {"pattern", {{split->literal ? "String" : "Regex", split->pattern}}},
            {"behavior", name_of(split->behavior)},
            {"invert", split->invert}};
  }
  if (const auto* digits = std::get_if<CutDigits>(&step)) {
    return {{"type", "Digits"}, {"individual_digits", digits->individually}};
  }
  const auto& metaspace = std::get<Metaspace>(step);  // PrefixSpace is a part of ByteLevel
  static constexpr std::array kSchemes = {"never", "first", "always"};
  return {{"type", "Metaspace"},
          {"replacement", metaspace.replacement},
          {"prepend_scheme", kSchemes.at(static_cast<std::size_t>(metaspace.before))},
          {"split", metaspace.split}};
}

/// steps as one: none, itself, or a Sequence.
OrderedJson sequence(OrderedJson steps, const char* members) {
  if (steps.empty()) return nullptr;
  if (steps.size() == 1) return steps[0];
  return {{"type", "Sequence"}, {members, std::move(steps)}};
}

OrderedJson normalizer_of(const TokenizerDefinition& definition) {
  auto steps = OrderedJson::array();
  for (const Normalization& step : definition.normalizations) steps.push_back(json_of(step));
  return sequence(std::move(steps), "normalizers");
}

OrderedJson pre_tokenizer_of(const TokenizerDefinition& definition) {
  std::vector<PreTokenization> steps = definition.pre_tokenizations;
  bool use_regex = false;
  bool add_prefix_space = false;
  if (!definition.characters) {  // ByteLevel's own steps are the last ones
    use_regex = !steps.empty() && steps.back() == PreTokenization(Split{.pattern = kGpt2Pattern});
    if (use_regex) steps.pop_back();
    add_prefix_space = !steps.empty() && std::holds_alternative<PrefixSpace>(steps.back());
    if (add_prefix_space) steps.pop_back();
  }
  auto written = OrderedJson::array();
  for (const PreTokenization& step : steps) written.push_back(json_of(step));
  if (!definition.characters) written.push_back(byte_level(add_prefix_space, use_regex));
  return sequence(std::move(written), "pretokenizers");
}

/// Appends a text, the template's tokens around it, to a template.
void append_text(const TokenizerDefinition& definition, const char* text, int type_id, OrderedJson& pieces) {
  const auto add = [&](TokenId id) {
    pieces.push_back({{"SpecialToken", {{"id", definition.tokens[id]}, {"type_id", type_id}}}});
  };
  for (const TokenId id : definition.before) add(id);
  pieces.push_back({{"Sequence", {{"id", text}, {"type_id", type_id}}}});
  for (const TokenId id : definition.after) add(id);
}

OrderedJson post_processor_of(const TokenizerDefinition& definition) {
  if (!definition.post_processor.empty()) return files::parse_ordered_json(definition.post_processor);
  if (definition.before.empty() && definition.after.empty()) return nullptr;
  auto single = OrderedJson::array();
  append_text(definition, "A", 0, single);
  OrderedJson pair = single;
  append_text(definition, "B", 1, pair);
  auto specials = OrderedJson::object();
  for (const auto& ids : {definition.before, definition.after}) {
    for (const TokenId id : ids) {
      const std::string& name = definition.tokens[id];
      specials[name] = {{"id", name}, {"ids", OrderedJson::array({id})}, {"tokens", OrderedJson::array({name})}};
    }
  }
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", specials}};
}

OrderedJson decoder_of(const TokenizerDefinition& definition) {
  if (!definition.characters) return byte_level(true, true);
  auto steps = OrderedJson::array();
  const CharacterAlphabet& characters = *definition.characters;
  if (!characters.space.empty()) {
    steps.push_back({{"type", "Replace"}, {"pattern", {{"String", characters.space}}}, {"content", " "}});
  }
  if (characters.byte_fallback) steps.push_back({{"type", "ByteFallback"}});
  steps.push_back({{"type", "Fuse"}});
  if (characters.strips_first_space) {
    steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
}

OrderedJson added_of(const TokenizerDefinition& definition) {
  auto added = OrderedJson::array();
  for (const AddedToken& token : definition.added) {
    added.push_back({{"id", token.id},
                     {"content", definition.tokens[token.id]},
                     {"single_word", token.single_word},
                     {"lstrip", token.strips_left},
                     {"rstrip", token.strips_right},
                     {"normalized", token.normalized},
                     {"special", token.special}});
  }
  return added;
}

std::vector<std::string> spelled_tokens(const TokenizerDefinition& definition) {
  std::vector<std::string> spelled;
  spelled.reserve(definition.tokens.size());
  for (TokenId id = 0; id < definition.tokens.size(); ++id) spelled.push_back(spelling_of(definition, id));
  return spelled;
}

OrderedJson model_of(const TokenizerDefinition& definition) {
  const std::vector<std::string> spelled = spelled_tokens(definition);
  std::vector<bool> left_out(spelled.size());
  // A token that the model does not have is no piece's, where whole pieces or characters are looked up.
  if (definition.ignore_merges || definition.characters) {
    for (const AddedToken& token : definition.added) left_out[token.id] = !token.in_vocabulary;
  }
  auto vocabulary = OrderedJson::object();
  // An ordered object looks for a key before it adds one; this one's keys are known to differ.
  auto& entries = vocabulary.get_ref<OrderedJson::object_t&>();
  entries.reserve(spelled.size());
  for (std::size_t id = 0; id < spelled.size(); ++id) {
    if (left_out[id]) continue;
    static_cast<std::vector<OrderedJson::object_t::value_type>&>(entries).emplace_back(spelled[id], id);
  }
  auto merges = OrderedJson::array();
  for (const Merge& merge : definition.merges) {
    // Characters may be spaces.
    if (definition.characters) {
      merges.push_back({spelled[merge.left], spelled[merge.right]});
    } else {
      merges.push_back(fmt::format("{} {}", spelled[merge.left], spelled[merge.right]));
    }
  }
  const CharacterAlphabet characters = definition.characters.value_or(CharacterAlphabet{});
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", definition.unknown ? OrderedJson(spelled[*definition.unknown]) : OrderedJson(nullptr)},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", definition.fuse_unknown},
          {"byte_fallback", characters.byte_fallback},
          {"ignore_merges", definition.ignore_merges},
          {"vocab", std::move(vocabulary)},
          {"merges", std::move(merges)}};
}

/// What no file of Hugging Face's says.
OrderedJson beyond_library(const TokenizerDefinition& definition) {
  auto own = OrderedJson::object();
  if (definition.ranked_by_result) own["ranked_by_result"] = true;
  for (const TokenId id : definition.tied_results) own["tied_results"].push_back(spelling_of(definition, id));
  return own;
}

/// What a reader would not find by itself.
OrderedJson own_of(const TokenizerDefinition& definition) {
  auto own = OrderedJson::object();
  if (definition.start != default_start_of(definition)) own["start_token"] = spelling_of(definition, definition.start);
  if (!ends_by_default(definition)) own["end_token"] = spelling_of(definition, definition.end_of_text);
  if (definition.named_start) own["bos_token"] = spelling_of(definition, *definition.named_start);
  if (definition.named_end) own["eos_token"] = spelling_of(definition, *definition.named_end);
  own.update(beyond_library(definition));
  return own;
}

}  // namespace

std::string write_beyond_library(const TokenizerDefinition& definition) {
  const OrderedJson own = beyond_library(definition);
  return own.empty() ? "" : files::json_text(own);
}

std::string write_hugging_face(const TokenizerDefinition& definition, bool for_library) {
  OrderedJson root = {{"version", "1.0"},
                      {"truncation", nullptr},
                      {"padding", nullptr},
                      {"added_tokens", added_of(definition)},
                      {"normalizer", normalizer_of(definition)},
                      {"pre_tokenizer", pre_tokenizer_of(definition)},
                      {"post_processor", post_processor_of(definition)},
                      {"decoder", decoder_of(definition)},
                      {"model", model_of(definition)}};
  OrderedJson own = own_of(definition);
  if (!own.empty() && !for_library) root[kOwnKey] = std::move(own);
  return files::json_text(root, 1) + "\n";
}

}  // namespace chainrule::io::tokenizer
