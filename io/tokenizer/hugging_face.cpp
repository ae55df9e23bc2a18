// Reads Hugging Face's tokenizer.json, as far as BPE uses it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/tokenizer/file_fields.h"
#include "io/tokenizer/hugging_face_steps.h"
#include "io/tokenizer/tokenizer_file.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : fields_(file) { source_.path = file; }

  TokenizerSource run() {
    const Json root = files::parse_untrusted_json(files::read_file_or_pipe(source_.path),
                                                  fmt::format("tokenizer {}", path_in_quotes(source_.path)));
    if (!root.is_object() || !root.contains("model")) fields_.fail("has no 'model': is it a tokenizer.json?");
    fields_.know_keys(root, "the file",
                      {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                       "post_processor", "decoder", "model", kOwnKey});
    if (present(root, "version") && root["version"] != "1.0") fields_.fail("its 'version' is not 1.0");
    if (present(root, "truncation")) fields_.fail("'truncation' is not supported: texts are encoded whole");
    read_padding(root);
    source_.characters.emplace();  // unless a pre-tokenizer is ByteLevel
    if (present(root, "normalizer")) read_normalizer(fields_, root["normalizer"], source_);
    if (present(root, "pre_tokenizer")) read_pre_tokenizer(fields_, root["pre_tokenizer"], source_);
    read_model(root["model"]);
    if (present(root, "decoder") && source_.characters) read_decoder(fields_, root["decoder"], *source_.characters);
    read_added(root);
    if (present(root, "post_processor")) {
      read_post_processor(fields_, root["post_processor"], source_);
      source_.post_processor = files::json_text(root["post_processor"]);
    }
    if (present(root, kOwnKey)) read_own(fields_, root[kOwnKey], source_);
    return std::move(source_);
  }

 private:
  static bool present(const Json& object, const char* key) { return FileFields::present(object, key); }

  /// Padding to the longest of a batch leaves a text that is encoded alone as it is.
  void read_padding(const Json& root) const {
    if (!present(root, "padding")) return;
    const Json& padding = root["padding"];
    if (!present(padding, "strategy") || padding["strategy"] != "BatchLongest" ||
        present(padding, "pad_to_multiple_of")) {
      fields_.fail("'padding' is supported to the longest of a batch (BatchLongest) only");
    }
  }

  void read_model(const Json& model) {
    // The first files named no type: they are BPE where they have its members.
    if (!FileFields::is_type(model, "BPE") && !(model.is_object() && !model.contains("type"))) {
      fields_.fail(fmt::format("model {} is not supported, only BPE is", FileFields::type_of(model)));
    }
    const std::string where = "the model";
    fields_.know_keys(model, where,
                      {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                       "byte_fallback", "ignore_merges", "vocab", "merges"});
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (present(model, key) && model[key] != "") {
        fields_.fail(fmt::format("'{}' of the model is not supported", key));
      }
    }
    if (present(model, "dropout") && model["dropout"] != 0.0) fields_.fail("'dropout' of the model is not supported");
    read_alphabet(model, fields_.flag(model, "byte_fallback", false, where));
    source_.ignore_merges = fields_.flag(model, "ignore_merges", false, where);
    read_vocabulary(model);
    for (const Json& merge : fields_.array(model, "merges", where)) read_merge(merge);
  }

  void read_alphabet(const Json& model, bool byte_fallback) {
    source_.fuse_unknown = fields_.flag(model, "fuse_unk", false, "the model");
    if (present(model, "unk_token")) source_.unknown_token = fields_.text(model, "unk_token", "the model");
    if (!source_.characters) {
      if (byte_fallback) fields_.fail("'byte_fallback' of the model is not supported with the pre-tokenizer ByteLevel");
      return;
    }
    source_.characters->byte_fallback = byte_fallback;
    if (!byte_fallback && source_.unknown_token.empty()) {
      fields_.fail("has neither a pre-tokenizer ByteLevel nor 'byte_fallback' nor 'unk_token': it would lose text");
    }
  }

  void read_vocabulary(const Json& model) {
    if (!present(model, "vocab") || !model["vocab"].is_object()) fields_.fail("'vocab' of the model is not an object");
    for (const auto& [spelling, id] : model["vocab"].items()) {
      if (!id.is_number_unsigned()) {
        fields_.fail(fmt::format("the id of token {} is not a number from 0", in_quotes(spelling)));
      }
      source_.vocabulary.emplace_back(spelling, id.get<std::uint64_t>());
    }
  }

  void read_merge(const Json& merge) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      source_.merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
      return;
    }
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      if (text.starts_with("#version")) return;  // as in merges.txt
      const std::size_t space = text.find(' ');
      if (space != std::string::npos && space == text.rfind(' ')) {
        source_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
        return;
      }
    }
    const std::string shown = merge.is_string() ? ": " + in_quotes(merge.get_ref<const std::string&>()) : "";
    fields_.fail(fmt::format("merge {} is neither \"a b\" nor [\"a\", \"b\"]{}", source_.merges.size(), shown));
  }

  void read_added(const Json& root) {
    if (!present(root, "added_tokens")) return;
    if (!root["added_tokens"].is_array()) fields_.fail("'added_tokens' is not an array");
    for (const Json& token : root["added_tokens"]) {
      if (!present(token, "content") || !token["content"].is_string() || !present(token, "id") ||
          !token["id"].is_number_unsigned()) {
        fields_.fail(fmt::format("added token {} is not an object with 'id' and 'content'", source_.added.size()));
      }
      source_.added.push_back(read_added_token(fields_, token, token["id"].get<std::uint64_t>()));
    }
  }

  FileFields fields_;
  TokenizerSource source_;
};

}  // namespace

TokenizerSource::Added read_added_token(const FileFields& fields, const Json& token, std::uint64_t id) {
  const std::string spelling = fields.text(token, "content", "an added token");
  const std::string where = fmt::format("the added token {}", in_quotes(spelling));
  fields.know_keys(token, where, {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
  const bool special = fields.flag(token, "special", false, where);
  return {.spelling = spelling,
          .id = id,
          .special = special,
          .normalized = fields.flag(token, "normalized", !special, where),
          .strips_left = fields.flag(token, "lstrip", false, where),
          .strips_right = fields.flag(token, "rstrip", false, where),
          .single_word = fields.flag(token, "single_word", false, where)};
}

void read_own(const FileFields& fields, const Json& own, TokenizerSource& source) {
  const std::string where = fmt::format("'{}'", kOwnKey);
  fields.know_keys(own, where,
                   {"start_token", "end_token", "bos_token", "eos_token", "ranked_by_result", "tied_results"});
  if (FileFields::present(own, "start_token")) source.start_token = fields.text(own, "start_token", where);
  if (FileFields::present(own, "end_token")) source.end_token = fields.text(own, "end_token", where);
  if (FileFields::present(own, "bos_token")) source.bos_token = fields.text(own, "bos_token", where);
  if (FileFields::present(own, "eos_token")) source.eos_token = fields.text(own, "eos_token", where);
  source.ranked_by_result = fields.flag(own, "ranked_by_result", false, where);
  source.tied_results.clear();
  if (!FileFields::present(own, "tied_results")) return;
  for (const Json& token : fields.array(own, "tied_results", where)) {
    if (!token.is_string()) fields.fail(fmt::format("'tied_results' of {} are no texts", where));
    source.tied_results.push_back(token.get<std::string>());
  }
}

TokenizerSource read_hugging_face(const std::filesystem::path& file) { return Reader(file).run(); }

}  // namespace chainrule::io::tokenizer
