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

struct Config {
  FileFields fields;
  Json json;
};

std::optional<Config> config_in(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "tokenizer_config.json";
  if (!files::is_there(file)) return std::nullopt;
  Config config{FileFields(file), files::read_untrusted_json(file)};
  if (!config.json.is_object()) config.fields.fail("is not an object");
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
  std::sort(source.added.begin(), source.added.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
}

/// Tokens in a file that says no more of them than ids are not taken: others have flags that change how a text is cut.
void require_no_other_tokens(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "added_tokens.json";
  if (files::is_there(file)) {
    refuse_tokenizer(file, "is not supported without 'added_tokens_decoder' in tokenizer_config.json");
  }
}

/// Where no class is named, transformers takes that of the model beside.
void require_gpt2_beside(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "config.json";
  if (!files::is_there(file)) return;
  const Json config = files::read_untrusted_json(file);
  if (!FileFields::present(config, "model_type") || config["model_type"] == "gpt2") return;
  refuse_tokenizer(folder, "'tokenizer_class' is absent, and the 'model_type' of config.json is not gpt2");
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
  const bool names = config && FileFields::present(config->json, "tokenizer_class");
  if (adds) add_tokens(*config, source);
  if (!adds) require_no_other_tokens(folder);
  if (!names) require_gpt2_beside(folder);
  if (!config) return;
  const std::string name = names ? config->fields.text(config->json, "tokenizer_class", "the file") : "GPT2Tokenizer";
  if (name == "GPT2Tokenizer" || name == "GPT2TokenizerFast") {
    if (config->fields.flag(config->json, "add_prefix_space", false, "the file")) {
      source.pre_tokenizations = {PrefixSpace{}, Split{.pattern = kGpt2Pattern}};
    }
    read_ends(*config, kEndOfText, source);
  } else if (name == "Qwen2Tokenizer" || name == "Qwen2TokenizerFast") {
    source.pre_tokenizations = {Split{.pattern = kQwen2Pattern}};
    source.normalizations = {ComposeCanonically{}};
    read_ends(*config, "", source);
  } else {
    config->fields.fail(
        fmt::format("'tokenizer_class' {} is not supported with vocab.json and merges.txt", in_quotes(name)));
  }
}

void read_tokenizer_config(const std::filesystem::path& folder, TokenizerSource& source) {
  const std::optional<Config> config = config_in(folder);
  if (!config) return;
  if (FileFields::present(config->json, kOwnKey)) read_own(config->fields, config->json[kOwnKey], source);
  const std::string start = token_of(*config, "bos_token");
  const std::string end = token_of(*config, "eos_token");
  for (const std::string& token : {start, end}) {
    if (!token.empty() && !has_token(source, token)) {
      config->fields.fail(fmt::format("the token {} is not in the vocabulary", in_quotes(token)));
    }
  }
  if (!end.empty()) source.end_token = end;
  if (!start.empty() || !end.empty()) source.start_token = start.empty() ? end : start;
}

}  // namespace chainrule::io::tokenizer
