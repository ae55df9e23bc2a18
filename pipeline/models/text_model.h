#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "io/tokenizer/tokenizer.h"
#include "pipeline/models/loaded_model.h"

namespace chainrule::pipeline::models {

/// A model with the tokenizer it was trained on: what turns text into probabilities.
struct TextModel {
  LoadedModel model;
  io::tokenizer::Tokenizer tokenizer;
};

/// Reads both (see load_model). Throws io::Error, also where tokenizer and model do not belong together.
TextModel load_text_model(const std::filesystem::path& path);
/// The same on every rank (see load_same_model). Throws AgreedError. Collective.
TextModel load_same_text_model(const comm::Communicator& communicator, const std::filesystem::path& path);

/// Whether a tokenizer of so many ids can be the model's: models of other systems, and checkpoints made of them, may
/// have rows that stand for nothing behind those of the tokenizer.
bool fits(std::int64_t vocabulary_size, const LoadedModel& model);
/// The bytes of an id; none for one that stands for nothing.
std::string_view token_bytes(const io::tokenizer::Tokenizer& tokenizer, io::tokenizer::TokenId token);

/// Which model it was, for reports: {"path", "step", "weights_hash", "tokenizer_fingerprint"}, and "average" where it
/// is one.
nlohmann::ordered_json describe_model(const LoadedModel& model);

/// The start token and the tokens of text: every text is conditioned on it, as in protocol `document`.
std::vector<io::tokenizer::TokenId> context_of(const io::tokenizer::Tokenizer& tokenizer, std::string_view text);

}  // namespace chainrule::pipeline::models
