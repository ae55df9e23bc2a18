#include "pipeline/models/text_model.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "io/error.h"
#include "io/files/digest.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/show/legible.h"

namespace chainrule::pipeline::models {

bool fits(std::int64_t vocabulary_size, const LoadedModel& model) {
  return vocabulary_size <= model.config.vocabulary_size;
}

std::string_view token_bytes(const io::tokenizer::Tokenizer& tokenizer, io::tokenizer::TokenId token) {
  return token < tokenizer.vocabulary_size() ? tokenizer.token_bytes(token) : std::string_view();
}

namespace {

io::tokenizer::Tokenizer load_tokenizer(const LoadedModel& model) {
  io::tokenizer::Tokenizer tokenizer = model.load_tokenizer();
  if (tokenizer.fingerprint() != model.tokenizer_fingerprint || !fits(tokenizer.vocabulary_size(), model)) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("the tokenizer of '{}' is not that of the model ({} ids, fingerprint {}; the model "
                                "has {} and {})",
                                model.folder.string(), tokenizer.vocabulary_size(), tokenizer.fingerprint(),
                                model.config.vocabulary_size, model.tokenizer_fingerprint));
  }
  return tokenizer;
}

}  // namespace

TextModel load_text_model(const std::filesystem::path& path) {
  std::optional<io::tokenizer::Tokenizer> tokenizer;
  LoadedModel model = load_model(path, [&](const LoadedModel& loaded) { tokenizer.emplace(load_tokenizer(loaded)); });
  return {std::move(model), std::move(*tokenizer)};
}

TextModel load_same_text_model(const comm::Communicator& communicator, const std::filesystem::path& path) {
  std::optional<io::tokenizer::Tokenizer> tokenizer;
  std::string digest;  // of all of it: its fingerprint does not tell which tokens go around a text
  LoadedModel model = load_same_model(communicator, path, [&](const LoadedModel& loaded) {
    tokenizer.emplace(load_tokenizer(loaded));
    digest = io::files::text_digest(tokenizer->to_json());
  });
  comm::require_same(communicator, failure::ExitCode::bad_data, fmt::format("the tokenizer of '{}'", path.string()),
                     digest);
  return {std::move(model), std::move(*tokenizer)};
}

nlohmann::ordered_json describe_model(const LoadedModel& model) {
  nlohmann::ordered_json json = {{"path", show::valid_utf8(model.folder.string())},
                                 {"step", model.step},
                                 {"weights_hash", model.weights_hash},
                                 {"tokenizer_fingerprint", model.tokenizer_fingerprint}};
  if (!model.average.empty()) json["average"] = model.average;
  return json;
}

std::vector<io::tokenizer::TokenId> context_of(const io::tokenizer::Tokenizer& tokenizer, std::string_view text) {
  std::vector<io::tokenizer::TokenId> tokens = {tokenizer.start_token()};
  tokenizer.encode(text, tokens);
  return tokens;
}

}  // namespace chainrule::pipeline::models
