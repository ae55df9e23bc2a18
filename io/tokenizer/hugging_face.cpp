// Hugging Face's tokenizer.json, as far as byte-level BPE uses it.
#include <fmt/format.h>

#include <initializer_list>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/tokenizer/byte_map.h"
#include "io/tokenizer/splitter.h"
#include "io/tokenizer/tokenizer_file.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) { source_.path = file; }

  TokenizerSource run() {
    const std::string text = files::read_file(source_.path);
    Json root;
    try {
      root = files::parse_json(text);
    } catch (const Json::exception& error) {
      fail(fmt::format("is not JSON: {}", error.what()));
    }
    if (!root.is_object() || !root.contains("model")) fail("has no 'model': is it a tokenizer.json?");
    if (present(root, "normalizer")) fail(fmt::format("normalizer {} is not supported", type_of(root["normalizer"])));
    read_pre_tokenizer(root);
    read_model(root["model"]);
    read_added(root);
    return std::move(source_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::bad_data, fmt::format("tokenizer '{}': {}", source_.path.string(), what));
  }

  static bool present(const Json& object, const char* key) { return object.contains(key) && !object[key].is_null(); }

  static std::string type_of(const Json& object) {
    if (!object.is_object() || !object.contains("type")) return "of no type";
    return files::json_text(object["type"]);
  }

  bool flag(const Json& object, const char* key, bool otherwise, const char* where) const {
    if (!present(object, key)) return otherwise;
    if (!object[key].is_boolean()) fail(fmt::format("'{}' of {} is not true or false", key, where));
    return object[key].get<bool>();
  }

  void refuse_flags(const Json& object, std::initializer_list<const char*> keys, const char* where) const {
    for (const char* key : keys) {
      if (flag(object, key, false, where)) fail(fmt::format("'{}' of {} is not supported", key, where));
    }
  }

  void read_pre_tokenizer(const Json& root) {
    if (!present(root, "pre_tokenizer")) fail("has no pre-tokenizer; only byte-level ones are supported");
    const Json& pre = root["pre_tokenizer"];
    if (type_of(pre) == "\"ByteLevel\"") {
      source_.add_prefix_space = flag(pre, "add_prefix_space", true, "pre_tokenizer");
      if (flag(pre, "use_regex", true, "pre_tokenizer")) source_.pattern = kGpt2Pattern;
      return;
    }
    if (type_of(pre) != "\"Sequence\"") fail(fmt::format("pre-tokenizer {} is not supported", type_of(pre)));
    if (!present(pre, "pretokenizers") || !pre["pretokenizers"].is_array() || pre["pretokenizers"].size() != 2 ||
        type_of(pre["pretokenizers"][0]) != "\"Split\"" || type_of(pre["pretokenizers"][1]) != "\"ByteLevel\"") {
      fail("of pre-tokenizer sequences only Split followed by ByteLevel is supported");
    }
    read_split(pre["pretokenizers"][0]);
    const Json& byte_level = pre["pretokenizers"][1];
    if (flag(byte_level, "use_regex", true, "pre_tokenizer") ||
        flag(byte_level, "add_prefix_space", true, "pre_tokenizer")) {
      fail("ByteLevel behind a Split is supported with use_regex and add_prefix_space false only");
    }
  }

  void read_split(const Json& split) {
    if (!present(split, "pattern") || !split["pattern"].is_object() || !split["pattern"].contains("Regex") ||
        !split["pattern"]["Regex"].is_string()) {
      fail("the pattern of the pre-tokenizer Split is not a Regex");
    }
    source_.pattern = split["pattern"]["Regex"].get<std::string>();
    if (source_.pattern.empty()) fail("the pattern of the pre-tokenizer Split is empty");
    // Of a pattern that matches everything, keeping the matches and isolating them are the same.
    const std::string behavior = present(split, "behavior") ? files::json_text(split["behavior"]) : "";
    const bool invert = flag(split, "invert", false, "pre_tokenizer");
    if (!(behavior == "\"Isolated\"" && !invert) && !(behavior == "\"Removed\"" && invert)) {
      fail(fmt::format("the pre-tokenizer Split with behavior {} and invert {} is not supported", behavior, invert));
    }
  }

  void read_model(const Json& model) {
    if (type_of(model) != "\"BPE\"") fail(fmt::format("model {} is not supported, only BPE is", type_of(model)));
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (present(model, key) && model[key] != "") fail(fmt::format("'{}' of the model is not supported", key));
    }
    if (present(model, "dropout") && model["dropout"] != 0.0) fail("'dropout' of the model is not supported");
    refuse_flags(model, {"byte_fallback"}, "the model");
    source_.ignore_merges = flag(model, "ignore_merges", false, "the model");
    if (!present(model, "vocab") || !model["vocab"].is_object()) fail("'vocab' of the model is not an object");
    for (const auto& [spelling, id] : model["vocab"].items()) {
      if (!id.is_number_unsigned()) fail(fmt::format("the id of token '{}' is not a number from 0", spelling));
      source_.vocabulary.emplace_back(spelling, id.get<std::uint64_t>());
    }
    if (!present(model, "merges") || !model["merges"].is_array()) fail("'merges' of the model is not an array");
    for (const Json& merge : model["merges"]) read_merge(merge);
  }

  void read_merge(const Json& merge) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      source_.merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
      return;
    }
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      const std::size_t space = text.find(' ');
      if (space != std::string::npos && space == text.rfind(' ')) {
        source_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
        return;
      }
    }
    fail(fmt::format("merge {} is neither \"a b\" nor [\"a\", \"b\"]: {}", source_.merges.size(),
                     files::json_text(merge)));
  }

  void read_added(const Json& root) {
    if (!present(root, "added_tokens")) return;
    if (!root["added_tokens"].is_array()) fail("'added_tokens' is not an array");
    for (const Json& token : root["added_tokens"]) {
      if (!token.is_object() || !token.contains("content") || !token["content"].is_string() || !token.contains("id") ||
          !token["id"].is_number_unsigned()) {
        fail(fmt::format("an added token is not an object with 'id' and 'content': {}", files::json_text(token)));
      }
      const auto spelling = token["content"].get<std::string>();
      const std::string where = fmt::format("the added token '{}'", spelling);
      refuse_flags(token, {"single_word", "lstrip", "rstrip"}, where.c_str());
      source_.added.push_back(
          {spelling, token["id"].get<std::uint64_t>(), flag(token, "special", false, where.c_str())});
    }
  }

  TokenizerSource source_;
};

using OrderedJson = nlohmann::ordered_json;

OrderedJson byte_level(bool add_prefix_space, bool use_regex) {
  return {
      {"type", "ByteLevel"}, {"add_prefix_space", add_prefix_space}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

OrderedJson pre_tokenizer_of(const TokenizerDefinition& definition) {
  if (definition.pattern.empty() || definition.pattern == kGpt2Pattern) {
    return byte_level(definition.add_prefix_space, !definition.pattern.empty());
  }
  const OrderedJson split = {
      {"type", "Split"}, {"pattern", {{"Regex", definition.pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", OrderedJson::array({split, byte_level(false, false)})}};
}

}  // namespace

TokenizerDefinition read_hugging_face(const std::filesystem::path& file) { return define(Reader(file).run()); }

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
                     {"normalized", false},
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
