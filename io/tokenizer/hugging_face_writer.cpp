// Writes Hugging Face's tokenizer.json.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "io/tokenizer/byte_map.h"
#include "io/tokenizer/splitter.h"
#include "io/tokenizer/tokenizer_file.h"

namespace chainrule::io::tokenizer {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson byte_level(bool add_prefix_space, bool use_regex) {
  return {
      {"type", "ByteLevel"}, {"add_prefix_space", add_prefix_space}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

OrderedJson pre_tokenizer_of(const TokenizerDefinition& definition) {
  if (definition.pattern.empty() || definition.pattern == kGpt2Pattern) {
    return byte_level(definition.add_prefix_space, !definition.pattern.empty());
  }
  const OrderedJson split = {{"type", "Split"},
                             {"pattern", {{"Regex", definition.pattern}}},
                             {"behavior", definition.matches_only ? "Removed" : "Isolated"},
                             {"invert", definition.matches_only}};
  return {{"type", "Sequence"}, {"pretokenizers", OrderedJson::array({split, byte_level(false, false)})}};
}

}  // namespace

std::string write_hugging_face(const TokenizerDefinition& definition) {
  std::vector<std::string> spelled(definition.tokens.size());
  for (std::size_t id = 0; id < spelled.size(); ++id) spelled[id] = spell_bytes(definition.tokens[id]);
  auto added = OrderedJson::array();
  for (const AddedToken& token : definition.added) {
    spelled[token.id] = definition.tokens[token.id];
    added.push_back({{"id", token.id},
                     {"content", spelled[token.id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", token.normalized},
                     {"special", token.special}});
  }
  auto vocabulary = OrderedJson::object();
  // An ordered object looks for a key before it adds one; this one's keys are known to differ.
  auto& entries = vocabulary.get_ref<OrderedJson::object_t&>();
  entries.reserve(spelled.size());
  for (std::size_t id = 0; id < spelled.size(); ++id) {
    static_cast<std::vector<OrderedJson::object_t::value_type>&>(entries).emplace_back(spelled[id], id);
  }
  auto merges = OrderedJson::array();
  for (const Merge& merge : definition.merges) {
    merges.push_back(fmt::format("{} {}", spelled[merge.left], spelled[merge.right]));
  }
  const OrderedJson model = {{"type", "BPE"},
                             {"dropout", nullptr},
                             {"unk_token", nullptr},
                             {"continuing_subword_prefix", nullptr},
                             {"end_of_word_suffix", nullptr},
                             {"fuse_unk", false},
                             {"byte_fallback", false},
                             {"ignore_merges", definition.ignore_merges},
                             {"vocab", std::move(vocabulary)},
                             {"merges", std::move(merges)}};
  const OrderedJson root = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", std::move(added)},
                            {"normalizer", nullptr},
                            {"pre_tokenizer", pre_tokenizer_of(definition)},
                            {"post_processor", nullptr},
                            {"decoder", byte_level(true, true)},
                            {"model", model}};
  return files::json_text(root, 1) + "\n";
}

}  // namespace chainrule::io::tokenizer
