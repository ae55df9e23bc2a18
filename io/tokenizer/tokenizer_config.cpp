// What tokenizer_config.json, which lies beside a tokenizer's own files, says of it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/files/presence.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/tokenizer/file_fields.h"
#include "io/tokenizer/hugging_face_steps.h"
#include "io/tokenizer/piece_scanner.h"
#include "io/tokenizer/tokenizer_file.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;

/// tokenizer_config.json; what special_tokens_map.json says goes before it, as in transformers, unless it lists added
/// tokens.
struct Config {
  FileFields fields;
  Json json;
};

std::optional<Config> object_in(const std::filesystem::path& file) {
  if (!files::is_there(file)) return std::nullopt;
  Config config{FileFields(file), files::read_untrusted_json(file)};
  if (!config.json.is_object()) config.fields.fail("is not an object");
  return config;
}

std::optional<Config> config_in(const std::filesystem::path& folder) {
  std::optional<Config> config = object_in(folder / "tokenizer_config.json");
  if (config && FileFields::present(config->json, "added_tokens_decoder")) return config;
  std::optional<Config> map = object_in(folder / "special_tokens_map.json");
  if (!config) return map;
  if (map) config->json.update(map->json);
  return config;
}

/// The spelling of a token that is named by a string, or by an object with its content; empty for null.
std::string token_of(const Config& config, const char* key) {
  if (!FileFields::present(config.json, key)) return "";
  const Json& token = config.json[key];
  if (token.is_string()) return token.get<std::string>();
  return config.fields.text(token, "content", fmt::format("'{}'", key));
}

bool has_token(const TokenizerSource& source, const std::string& spelling) {
  const auto is = [&](const auto& each) { return each.first == spelling; };
  const auto is_added = [&](const auto& each) { return each.spelling == spelling; };
  return std::any_of(source.added.begin(), source.added.end(), is_added) ||
         std::any_of(source.vocabulary.begin(), source.vocabulary.end(), is);
}

std::uint64_t id_of(const Config& config, const std::string& key) {
  std::uint64_t id = 0;
  const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
  if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size()) {
    config.fields.fail(fmt::format("{} of 'added_tokens_decoder' is not an id", in_quotes(key)));
  }
  return id;
}

/// Tokens that this file adds to vocab.json's.
void add_tokens(const Config& config, TokenizerSource& source) {
  const Json& tokens = config.json["added_tokens_decoder"];
  if (!tokens.is_object()) config.fields.fail("'added_tokens_decoder' is not an object");
  for (const auto& [key, token] : tokens.items()) {
    source.added.push_back(read_added_token(config.fields, token, id_of(config, key)));
  }
}

/// Makes a token special that a member names, by a string or an object with flags. What is not in the vocabulary would
/// be given an id of its own.
void add_named_token(const Config& config, const std::string& key, Json token, TokenizerSource& source) {
  if (token.is_string()) token = {{"content", token}};
  if (!FileFields::present(token, "content") || !token["content"].is_string()) {
    config.fields.fail(fmt::format("'{}' names no token", key));
  }
  token.erase("__type");
  const std::string spelling = token["content"];
  const auto added = std::find_if(source.added.begin(), source.added.end(),
                                  [&](const auto& each) { return each.spelling == spelling; });
  if (added != source.added.end()) {
    added->special = true;
    return;
  }
  const auto entry = std::find_if(source.vocabulary.begin(), source.vocabulary.end(),
                                  [&](const auto& each) { return each.first == spelling; });
  if (entry == source.vocabulary.end()) {
    config.fields.fail(fmt::format("the token {} of '{}' is not in the vocabulary", in_quotes(spelling), key));
  }
  token["special"] = true;
  source.added.push_back(read_added_token(config.fields, token, entry->second));
}

/// All that are named are special.
void add_named_tokens(const Config& config, TokenizerSource& source) {
  for (const auto& [key, value] : config.json.items()) {
    const bool is_list = key == "additional_special_tokens" || key == "extra_special_tokens";
    if (value.is_null() || (!is_list && !key.ends_with("_token"))) continue;
    if (value.is_boolean()) continue;  // add_bos_token
    if (!is_list) {
      add_named_token(config, key, value, source);
    } else if (value.is_array() || value.is_object()) {
      for (const auto& [ignored, each] : value.items()) add_named_token(config, key, each, source);
    } else {
      config.fields.fail(fmt::format("'{}' is no list of tokens", key));
    }
  }
}

/// Tokens in a file that says no more of them than ids are not taken: others have flags that change how a text is cut.
void require_no_other_tokens(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "added_tokens.json";
  if (files::is_there(file)) {
    refuse_tokenizer(file, "is not supported without 'added_tokens_decoder' in tokenizer_config.json");
  }
}

/// Whose files they are: what tokenizer_config.json names, else the model's config.json, else GPT-2. transformers takes
/// Qwen's class for a model of Qwen's whatever it names.
std::string class_of(const std::filesystem::path& folder, const std::optional<Config>& config) {
  const char* const key = "tokenizer_class";
  std::string name;
  if (config && FileFields::present(config->json, key)) name = config->fields.text(config->json, key, "the file");
  const std::optional<Config> model = object_in(folder / "config.json");
  if (!model) return name.empty() ? "GPT2Tokenizer" : name;
  if (name.empty() && FileFields::present(model->json, key)) name = model->fields.text(model->json, key, "the file");
  std::string type;
  if (FileFields::present(model->json, "model_type")) type = model->fields.text(model->json, "model_type", "the file");
  if (name.empty() && type == "gpt2") return "GPT2Tokenizer";
  if (name.empty()) model->fields.fail("names no 'tokenizer_class', and its 'model_type' is not gpt2");
  if (type.starts_with("qwen") && name.starts_with("GPT2")) {
    model->fields.fail(fmt::format("its 'model_type' contradicts the 'tokenizer_class' {}", in_quotes(name)));
  }
  return name;
}

/// Tokens that go before and behind a text, which a tokenizer.json would have in its template. otherwise: what a class
/// takes that names none; may be empty.
void read_ends(const Config& config, const char* otherwise, TokenizerSource& source) {
  const auto add = [&](const char* asks, const char* key, std::vector<TokenizerSource::Around>& around) {
    if (!config.fields.flag(config.json, asks, false, "the file")) return;
    const std::string named = token_of(config, key);
    const std::string token = named.empty() ? otherwise : named;
    if (token.empty()) config.fields.fail(fmt::format("'{}' is true without '{}'", asks, key));
    around.push_back({token});
  };
  add("add_bos_token", "bos_token", source.before);
  add("add_eos_token", "eos_token", source.after);
}

}  // namespace

void read_tokenizer_class(const std::filesystem::path& folder, TokenizerSource& source) {
  const std::optional<Config> config = config_in(folder);
  const bool adds = config && FileFields::present(config->json, "added_tokens_decoder");
  if (adds) add_tokens(*config, source);
  if (!adds) require_no_other_tokens(folder);
  const std::string name = class_of(folder, config);
  const bool is_gpt2 = name == "GPT2Tokenizer" || name == "GPT2TokenizerFast";
  if (!is_gpt2 && name != "Qwen2Tokenizer" && name != "Qwen2TokenizerFast") {
    refuse_tokenizer(
        folder, fmt::format("'tokenizer_class' {} is not supported with vocab.json and merges.txt", in_quotes(name)));
  }
  if (!is_gpt2) {
    source.pre_tokenizations = {Split{.pattern = kQwen2Pattern}};
    source.normalizations = {ComposeCanonically{}};
  }
  if (!config) return;
  add_named_tokens(*config, source);
  if (config->fields.flag(config->json, "add_prefix_space", false, "the file")) {
    if (!is_gpt2) config->fields.fail("'add_prefix_space' is not supported of Qwen2's tokenizer");
    source.pre_tokenizations = {PrefixSpace{}, Split{.pattern = kGpt2Pattern}};
  }
  read_ends(*config, is_gpt2 ? kEndOfText : "", source);
  std::sort(source.added.begin(), source.added.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
}

void read_tokenizer_config(const std::filesystem::path& folder, TokenizerSource& source) {
  const std::optional<Config> config = config_in(folder);
  if (!config) return;
  if (FileFields::present(config->json, kOwnKey)) read_own(config->fields, config->json[kOwnKey], source);
  if (config->fields.flag(config->json, "split_special_tokens", false, "the file")) {
    config->fields.fail("'split_special_tokens' is not supported");
  }
  const std::string start = token_of(*config, "bos_token");
  const std::string end = token_of(*config, "eos_token");
  for (const std::string& token : {start, end}) {
    if (!token.empty() && !has_token(source, token)) {
      config->fields.fail(fmt::format("the token {} is not in the vocabulary", in_quotes(token)));
    }
  }
  if (!start.empty()) source.bos_token = start;
  if (!end.empty()) source.end_token = source.eos_token = end;
  if (!start.empty() || !end.empty()) source.start_token = start.empty() ? end : start;
}

}  // namespace chainrule::io::tokenizer
