// Reads Hugging Face's tokenizer.json, as far as byte-level BPE uses it.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/tokenizer/pattern.h"
#include "io/tokenizer/splitter.h"
#include "io/tokenizer/tokenizer_file.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) { source_.path = file; }

  TokenizerSource run() {
    const Json root = files::parse_untrusted_json(files::read_file(source_.path),
                                                  fmt::format("tokenizer {}", path_in_quotes(source_.path)));
    if (!root.is_object() || !root.contains("model")) fail("has no 'model': is it a tokenizer.json?");
    know_keys(root, "the file",
              {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
               "decoder", "model"});
    if (present(root, "version") && root["version"] != "1.0") fail("its 'version' is not 1.0");
    if (present(root, "truncation")) fail("'truncation' is not supported: texts are encoded whole");
    read_padding(root);
    if (present(root, "normalizer")) read_normalizer(root["normalizer"]);
    read_pre_tokenizer(root);
    read_model(root["model"]);
    read_added(root);
    return std::move(source_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::bad_data, fmt::format("tokenizer {}: {}", path_in_quotes(source_.path), what));
  }

  static bool present(const Json& object, const char* key) { return object.contains(key) && !object[key].is_null(); }

  static bool is_type(const Json& object, const char* type) {
    return object.is_object() && object.contains("type") && object["type"] == type;
  }

  /// For messages.
  static std::string type_of(const Json& object) {
    if (!object.is_object() || !object.contains("type") || !object["type"].is_string()) return "of no type";
    return in_quotes(object["type"].get_ref<const std::string&>());
  }

  /// Whatever is not known may change ids.
  void know_keys(const Json& object, const std::string& where, std::initializer_list<std::string_view> keys) const {
    for (const auto& member : object.items()) {
      if (std::find(keys.begin(), keys.end(), member.key()) == keys.end()) {
        fail(fmt::format("{} of {} is not known, and may change ids", in_quotes(member.key()), where));
      }
    }
  }

  bool flag(const Json& object, const char* key, bool otherwise, const std::string& where) const {
    if (!present(object, key)) return otherwise;
    if (!object[key].is_boolean()) fail(fmt::format("'{}' of {} is not true or false", key, where));
    return object[key].get<bool>();
  }

  void refuse_flags(const Json& object, std::initializer_list<const char*> keys, const std::string& where) const {
    for (const char* key : keys) {
      if (flag(object, key, false, where)) fail(fmt::format("'{}' of {} is not supported", key, where));
    }
  }

  /// Padding to the longest of a batch leaves a text that is encoded alone as it is.
  void read_padding(const Json& root) const {
    if (!present(root, "padding")) return;
    const Json& padding = root["padding"];
    if (!padding.is_object() || !padding.contains("strategy") || padding["strategy"] != "BatchLongest" ||
        present(padding, "pad_to_multiple_of")) {
      fail("'padding' is supported to the longest of a batch (BatchLongest) only");
    }
  }

  /// Normalizers that do nothing: sequences of none.
  void read_normalizer(const Json& normalizer) const {
    if (!is_type(normalizer, "Sequence") || !present(normalizer, "normalizers") ||
        !normalizer["normalizers"].is_array()) {
      fail(fmt::format("normalizer {} is not supported", type_of(normalizer)));
    }
    know_keys(normalizer, "a normalizer Sequence", {"type", "normalizers"});
    for (const Json& part : normalizer["normalizers"]) read_normalizer(part);
  }

  /// The pre-tokenizers that a pre-tokenizer stands for, sequences resolved.
  void flatten(const Json& pre, std::vector<const Json*>& parts) const {
    if (!is_type(pre, "Sequence")) {
      parts.push_back(&pre);
      return;
    }
    know_keys(pre, "a pre-tokenizer Sequence", {"type", "pretokenizers"});
    if (!present(pre, "pretokenizers") || !pre["pretokenizers"].is_array()) {
      fail("a pre-tokenizer Sequence has no 'pretokenizers'");
    }
    for (const Json& part : pre["pretokenizers"]) flatten(part, parts);
  }

  void read_pre_tokenizer(const Json& root) {
    std::vector<const Json*> parts;
    if (present(root, "pre_tokenizer")) flatten(root["pre_tokenizer"], parts);
    if (parts.empty()) fail("has no pre-tokenizer; only byte-level ones are supported");
    for (const Json* part : parts) {
      if (!is_type(*part, "ByteLevel") && !is_type(*part, "Split")) {
        fail(fmt::format("pre-tokenizer {} is not supported", type_of(*part)));
      }
    }
    const bool is_split = parts.size() == 2 && is_type(*parts[0], "Split");
    if (parts.size() > 2 || !is_type(*parts.back(), "ByteLevel") || (parts.size() == 2 && !is_split)) {
      fail("of pre-tokenizers only ByteLevel, and Split followed by ByteLevel, are supported");
    }
    const Json& byte_level = *parts.back();
    know_keys(byte_level, "the pre-tokenizer ByteLevel", {"type", "add_prefix_space", "trim_offsets", "use_regex"});
    const bool add_prefix_space = flag(byte_level, "add_prefix_space", true, "the pre-tokenizer ByteLevel");
    const bool use_regex = flag(byte_level, "use_regex", true, "the pre-tokenizer ByteLevel");
    if (is_split) {
      read_split(*parts[0]);
      if (use_regex || add_prefix_space) {
        fail("ByteLevel behind a Split is supported with 'use_regex' and 'add_prefix_space' false only");
      }
      return;
    }
    source_.add_prefix_space = add_prefix_space;
    if (use_regex) source_.pattern = kGpt2Pattern;
  }

  void read_split(const Json& split) {
    know_keys(split, "the pre-tokenizer Split", {"type", "pattern", "behavior", "invert"});
    if (!present(split, "pattern") || !split["pattern"].is_object() || split["pattern"].size() != 1 ||
        !split["pattern"].contains("Regex") || !split["pattern"]["Regex"].is_string()) {
      fail("the pattern of the pre-tokenizer Split is not a Regex");
    }
    source_.pattern = split["pattern"]["Regex"].get<std::string>();
    if (source_.pattern.empty()) fail("the pattern of the pre-tokenizer Split is empty");
    try {
      const Pattern compiled(source_.pattern);
    } catch (const Error& error) {
      fail(error.what());
    }
    if (!present(split, "behavior") || !split["behavior"].is_string()) {
      fail("the pre-tokenizer Split has no 'behavior'");
    }
    const auto& behavior = split["behavior"].get_ref<const std::string&>();
    const bool invert = flag(split, "invert", false, "the pre-tokenizer Split");
    if (behavior == "Isolated") return;  // matches and what is between them are pieces alike
    if (behavior != "Removed" || !invert) {
      fail(fmt::format("the pre-tokenizer Split with 'behavior' {} and 'invert' {} is not supported",
                       in_quotes(behavior), invert));
    }
    source_.matches_only = !matches_everything(source_.pattern);
  }

  void read_model(const Json& model) {
    // The first files named no type: they are BPE where they have its members.
    if (!is_type(model, "BPE") && !(model.is_object() && !model.contains("type"))) {
      fail(fmt::format("model {} is not supported, only BPE is", type_of(model)));
    }
    know_keys(model, "the model",
              {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
               "byte_fallback", "ignore_merges", "vocab", "merges"});
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (present(model, key) && model[key] != "") fail(fmt::format("'{}' of the model is not supported", key));
    }
    if (present(model, "dropout") && model["dropout"] != 0.0) fail("'dropout' of the model is not supported");
    refuse_flags(model, {"byte_fallback"}, "the model");
    source_.ignore_merges = flag(model, "ignore_merges", false, "the model");
    if (!present(model, "vocab") || !model["vocab"].is_object()) fail("'vocab' of the model is not an object");
    for (const auto& [spelling, id] : model["vocab"].items()) {
      if (!id.is_number_unsigned()) fail(fmt::format("the id of token {} is not a number from 0", in_quotes(spelling)));
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
    const std::string shown = merge.is_string() ? ": " + in_quotes(merge.get_ref<const std::string&>()) : "";
    fail(fmt::format("merge {} is neither \"a b\" nor [\"a\", \"b\"]{}", source_.merges.size(), shown));
  }

  void read_added(const Json& root) {
    if (!present(root, "added_tokens")) return;
    if (!root["added_tokens"].is_array()) fail("'added_tokens' is not an array");
    for (const Json& token : root["added_tokens"]) {
      if (!token.is_object() || !token.contains("content") || !token["content"].is_string() || !token.contains("id") ||
          !token["id"].is_number_unsigned()) {
        fail(fmt::format("added token {} is not an object with 'id' and 'content'", source_.added.size()));
      }
      const auto spelling = token["content"].get<std::string>();
      const std::string where = fmt::format("the added token {}", in_quotes(spelling));
      know_keys(token, where, {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
      refuse_flags(token, {"single_word", "lstrip", "rstrip"}, where);
      const bool special = flag(token, "special", false, where);
      source_.added.push_back(
          {spelling, token["id"].get<std::uint64_t>(), special, flag(token, "normalized", !special, where)});
    }
  }

  TokenizerSource source_;
};

}  // namespace

TokenizerDefinition read_hugging_face(const std::filesystem::path& file) { return define(Reader(file).run()); }

}  // namespace chainrule::io::tokenizer
