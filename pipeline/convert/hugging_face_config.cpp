#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "io/files/json_text.h"
#include "pipeline/convert/formats.h"
#include "pipeline/convert/gpt2.h"
#include "pipeline/models/config_json.h"

namespace chainrule::pipeline::convert {
namespace {

using Json = nlohmann::ordered_json;
using model::shape::AttentionShape;
using model::shape::Biases;
using model::shape::Config;
using model::shape::RotaryScaling;
using Kind = RotaryScaling::Kind;

/// The shortest decimal that is this float, as a person would have written it.
double as_written(float value) { return std::stod(fmt::format("{}", value)); }

void append_gpt2(const Config& config, Json& json) {
  json["n_layer"] = config.layers;
  json["n_head"] = config.heads;
  json["n_embd"] = config.width;
  json["n_inner"] = config.feed_forward_width;
  json["n_positions"] = config.sequence_length;
  json["layer_norm_epsilon"] = as_written(config.normalization_epsilon);
  json["activation_function"] = "gelu_new";
  json["tie_word_embeddings"] = true;
}

/// max_position_embeddings: frequencies that follow the length are stretched from there on.
std::int64_t positions_of(const Requirement& format, const Config& config) {
  if (!config.rotary.by_length()) return config.sequence_length;
  const RotaryScaling& scaling = config.rotary.scaling;
  const double longest = std::floor(scaling.factor * static_cast<double>(scaling.original_length));
  format.require(longest == static_cast<double>(config.sequence_length), "sequence_length", config.sequence_length);
  return scaling.original_length;
}

/// rope_scaling as transformers 4 spells it, which transformers 5 reads too; null where there is none.
Json scaling_of(const RotaryScaling& scaling, std::int64_t positions) {
  switch (scaling.kind) {
    case Kind::none: return nullptr;
    case Kind::linear: return {{"rope_type", "linear"}, {"factor", scaling.factor}};
    case Kind::dynamic: return {{"rope_type", "dynamic"}, {"factor", scaling.factor}};
    case Kind::llama3:
      return {{"rope_type", "llama3"},
              {"factor", scaling.factor},
              {"low_freq_factor", scaling.low_frequency_factor},
              {"high_freq_factor", scaling.high_frequency_factor},
              {"original_max_position_embeddings", scaling.original_length}};
    case Kind::yarn:
    case Kind::factors: break;  // factors are refused before
  }
  Json yarn = {{"rope_type", "yarn"},
               {"factor", scaling.factor},
               {"beta_fast", scaling.beta_fast},
               {"beta_slow", scaling.beta_slow},
               {"truncate", scaling.truncate},
               {"attention_factor", scaling.attention_factor}};
  // Where it is there, some versions of transformers take the ratio to max_position_embeddings for the factor.
  if (scaling.original_length != positions) yarn["original_max_position_embeddings"] = scaling.original_length;
  return yarn;
}

void append_llama(const Requirement& format, const Config& config, Json& json) {
  const AttentionShape attention = model::shape::attention_shape(config);
  json["num_hidden_layers"] = config.layers;
  json["num_attention_heads"] = config.heads;
  json["num_key_value_heads"] = attention.key_value_heads;
  json["head_dim"] = attention.head_width;
  json["hidden_size"] = config.width;
  json["intermediate_size"] = config.feed_forward_width;
  json["max_position_embeddings"] = positions_of(format, config);
  json["rms_norm_eps"] = as_written(config.normalization_epsilon);
  json["hidden_act"] = "silu";
  json["rope_theta"] = config.rotary.theta;
  json["rope_scaling"] = scaling_of(config.rotary.scaling, config.sequence_length);
  json["tie_word_embeddings"] = config.tied_head;
}

void append_window(const Config& config, const std::string& type, Json& json) {
  if (type == "mistral") json["sliding_window"] = config.attention_window;
  if (type != "qwen2" && type != "qwen3") return;
  json["use_sliding_window"] = config.attention_window != 0;
  json["max_window_layers"] = config.attention_window != 0 ? 0 : config.layers;
  if (config.attention_window != 0) json["sliding_window"] = config.attention_window;
}

/// Throws for what no class of Llama's relatives has.
void require_llama(const Requirement& format, const Config& config) {
  Json spelled;
  models::write_config(config, spelled);
  const auto require = [&](bool holds, const char* field) {
    if (!holds) format.refuse(field, io::files::json_text(spelled[field]));
  };
  require(config.normalization == model::shape::Normalization::rms_norm, "normalization");
  require(config.position_encoding == model::shape::PositionEncoding::rotary, "position_encoding");
  require(config.activation == model::shape::Activation::swiglu, "activation");
  format.require(config.rotary.scaling.kind != Kind::factors, "rotary scaling", "factors");
  require(config.logit_soft_cap == 0, "logit_soft_cap");
  const bool with_norm = config.query_key_norm && config.biases != Biases::none;
  require(config.biases != Biases::all && !with_norm, "biases");
}

std::string llama_type(const Config& config) {
  if (config.query_key_norm) return "qwen3";
  if (config.biases == Biases::query_key_value) return "qwen2";
  return config.attention_window != 0 ? "mistral" : "llama";
}

/// eos_token: the one that the model came with, at which its turns end.
io::tokenizer::TokenId written_end(const io::tokenizer::Tokenizer& tokenizer) {
  return tokenizer.named_end().value_or(tokenizer.end_of_text());
}

/// bos_token: the one that the model came with; else where a text would be read behind another without it.
std::optional<io::tokenizer::TokenId> written_start(const io::tokenizer::Tokenizer& tokenizer) {
  if (tokenizer.named_start()) return tokenizer.named_start();
  if (tokenizer.named_end() && tokenizer.start_token() == *tokenizer.named_end()) return std::nullopt;
  return tokenizer.start_token();
}

const char* class_of(const std::string& type) {
  if (type == "gpt2") return "GPT2LMHeadModel";
  if (type == "qwen2") return "Qwen2ForCausalLM";
  if (type == "qwen3") return "Qwen3ForCausalLM";
  return type == "mistral" ? "MistralForCausalLM" : "LlamaForCausalLM";
}

}  // namespace

Json hugging_face_config(const Config& config, const io::tokenizer::Tokenizer& tokenizer,
                         io::tensors::Encoding encoding) {
  const Requirement format("no Hugging Face model of this kind");
  const bool gpt2 = config.position_encoding == model::shape::PositionEncoding::learned;
  gpt2 ? require_gpt2(format, config) : require_llama(format, config);
  const std::string type = gpt2 ? "gpt2" : llama_type(config);
  Json json = {{"architectures", {class_of(type)}}, {"model_type", type}};
  json["vocab_size"] = config.vocabulary_size;
  if (gpt2) {
    append_gpt2(config, json);
  } else {
    append_llama(format, config, json);
    append_window(config, type, json);
  }
  if (const auto start = written_start(tokenizer)) json["bos_token_id"] = *start;
  json["eos_token_id"] = written_end(tokenizer);
  json["torch_dtype"] = encoding == io::tensors::Encoding::bf16 ? "bfloat16" : "float32";
  return json;
}

Json hugging_face_tokenizer_config(const Config& config, const io::tokenizer::Tokenizer& tokenizer) {
  Json json = {{"tokenizer_class", "PreTrainedTokenizerFast"},
               {"eos_token", tokenizer.token_spelling(written_end(tokenizer))},
               {"clean_up_tokenization_spaces", false},
               {"model_max_length", config.sequence_length}};
  if (const auto start = written_start(tokenizer)) json["bos_token"] = tokenizer.token_spelling(*start);
  if (const std::string own = tokenizer.beyond_library_json(); !own.empty())
    json["chainrule"] = io::files::parse_ordered_json(own);
  return json;
}

bool compute_the_same(Config one, Config other) {
  for (Config* config : {&one, &other}) {
    const AttentionShape attention = model::shape::attention_shape(*config);
    config->key_value_heads = attention.key_value_heads;
    config->head_width = attention.head_width;
    config->zero_residuals = false;
    RotaryScaling& scaling = config->rotary.scaling;
    if (scaling.kind == Kind::none || scaling.kind == Kind::linear) scaling.original_length = 0;
  }
  return one == other;
}

}  // namespace chainrule::pipeline::convert
