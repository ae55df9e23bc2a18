#include "pipeline/models/external/hugging_face_config.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/quote.h"
#include "model/error.h"
#include "pipeline/models/external/config_fields.h"
#include "pipeline/models/external/rotary_config.h"

namespace chainrule::pipeline::models::external {
namespace {

using model::shape::Activation;
using model::shape::Biases;
using model::shape::Config;
using model::shape::Normalization;

/// What says nothing about probabilities: where the model came from, how it is generated from, how it was trained.
void ignore_what_changes_nothing(ConfigFields& fields) {
  fields.ignore({"_name_or_path",
                 "_model_name_or_path",
                 "_commit_hash",
                 "unk_token_id",
                 "architectures",
                 "model_type",
                 "torch_dtype",
                 "dtype",
                 "transformers_version",
                 "use_cache",
                 "bos_token_id",
                 "eos_token_id",
                 "pad_token_id",
                 "sep_token_id",
                 "initializer_range",
                 "task_specific_params",
                 "_attn_implementation",
                 "attn_implementation",
                 "_attn_implementation_autoset",
                 "return_dict",
                 "id2label",
                 "label2id",
                 "problem_type",
                 "finetuning_task",
                 "prefix",
                 "output_attentions",
                 "output_hidden_states",
                 "output_past",
                 "is_decoder",
                 "torchscript",
                 "use_bfloat16",
                 "gradient_checkpointing",
                 "pretraining_tp",
                 "unsloth_version",
                 "unsloth_fixed",
                 "license",
                 "tokenizer_class",
                 "max_sequence_length",
                 "max_length",
                 "min_length",
                 "do_sample",
                 "temperature",
                 "top_k",
                 "top_p",
                 "num_return_sequences",
                 "repetition_penalty",
                 "num_beams",
                 "num_beam_groups",
                 "no_repeat_ngram_size",
                 "length_penalty",
                 "diversity_penalty",
                 "early_stopping",
                 "bad_words_ids",
                 "max_new_tokens",
                 "typical_p",
                 "return_dict_in_generate",
                 "output_scores",
                 "num_labels",
                 "_num_labels",
                 "transformers.js_config",
                 "auto_map",
                 "chunk_size_feed_forward",
                 "is_llama_config",
                 "cross_attention_hidden_size",
                 "attention_dropout",
                 "hidden_dropout"});
}

void require_text(ConfigFields& fields, const char* field, std::initializer_list<const char*> known) {
  const std::string value = fields.text(field, *known.begin());
  for (const char* each : known) {
    if (value == each) return;
  }
  fields.refuse(field, fmt::format("asks for {}, which is not built for this model", io::in_quotes(value)));
}

void require_false(ConfigFields& fields, std::initializer_list<const char*> names) {
  for (const char* field : names) {
    if (fields.truth(field, false)) fields.refuse(field, "asks for something that is not built");
  }
}

Config read_gpt2(ConfigFields& fields) {
  Config config;
  config.layers = fields.whole_number("n_layer");
  config.heads = fields.whole_number("n_head");
  config.width = fields.whole_number("n_embd");
  config.sequence_length = fields.whole_number("n_positions", fields.whole_number("n_ctx", 1024));
  config.feed_forward_width = fields.whole_number("n_inner", 4 * config.width);
  config.normalization_epsilon = static_cast<float>(fields.number("layer_norm_epsilon", 1e-5));
  config.vocabulary_size = fields.whole_number("vocab_size");
  config.tied_head = true;
  if (!fields.truth("tie_word_embeddings", true)) fields.refuse("tie_word_embeddings", "of false is not built");
  if (!fields.truth("scale_attn_weights", true)) fields.refuse("scale_attn_weights", "of false is not built");
  require_text(fields, "activation_function", {"gelu_new", "gelu_pytorch_tanh"});
  require_false(fields, {"scale_attn_by_inverse_layer_idx", "add_cross_attention"});
  fields.ignore({"attn_pdrop", "embd_pdrop", "resid_pdrop", "reorder_and_upcast_attn", "summary_activation",
                 "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj", "n_ctx",
                 "n_special", "predict_special_tokens"});
  return config;
}

/// Whether every layer attends within a window: by layer_types where there are some, else as the model's class does.
bool windowed(ConfigFields& fields, bool otherwise, std::int64_t layers) {
  if (!fields.has("layer_types")) return otherwise;
  const nlohmann::json& types = fields.value("layer_types");
  if (!types.is_array() || types.empty() || static_cast<std::int64_t>(types.size()) != layers) {
    fields.refuse("layer_types", "does not name a type for each layer");
  }
  for (const auto& type : types) {
    if (type != types.front()) fields.refuse("layer_types", "mixes kinds of layers, which is not built");
  }
  if (types.front() == "sliding_attention") return true;
  if (types.front() != "full_attention") fields.refuse("layer_types", "asks for layers that are not built");
  return false;
}

/// Goes by sliding_window alone.
bool mistral_windowed(ConfigFields& fields, std::int64_t layers) {
  const bool by_class = !fields.is_null("sliding_window");
  if (windowed(fields, by_class, layers) == by_class) return by_class;
  fields.refuse("layer_types", "says something else than sliding_window, which mistral goes by");
}

/// Qwen2 and Qwen3: layers that are named so, else those from max_window_layers on, where use_sliding_window says so.
bool qwen_windowed(ConfigFields& fields, std::int64_t layers) {
  const bool uses = fields.truth("use_sliding_window", false);
  const std::int64_t from = fields.whole_number("max_window_layers", 28);
  const bool any = uses && !fields.is_null("sliding_window") && from < layers;
  if (fields.has("layer_types")) {
    const bool named = windowed(fields, any, layers);
    if (named && !uses) fields.refuse("layer_types", "asks for a window, which use_sliding_window leaves out");
    return named;
  }
  if (any && from > 0) fields.refuse("max_window_layers", "gives only some layers a window, which is not built");
  return any;
}

/// Tokens of the window that every layer attends within; 0: all before it. Where sliding_window is absent it is 4096 to
/// the classes that know it, and null stands for none.
std::int64_t attention_window(ConfigFields& fields, const std::string& type, std::int64_t layers) {
  if (type == "llama") {
    if (windowed(fields, false, layers)) fields.refuse("layer_types", "asks for a window, which llama does not have");
    return 0;
  }
  const bool unset = fields.is_null("sliding_window");
  const std::int64_t window = unset ? 0 : fields.whole_number("sliding_window", 4096);
  const bool by_layer = type == "mistral" ? mistral_windowed(fields, layers) : qwen_windowed(fields, layers);
  if (by_layer && window < 1) fields.refuse("sliding_window", "is no number of tokens");
  return by_layer ? window : 0;
}

/// Where the field is absent, each class has a number of its own; null stands for as many as query heads.
std::int64_t key_value_heads(ConfigFields& fields, const std::string& type, std::int64_t heads) {
  const std::int64_t by_class = type == "llama" ? heads : type == "mistral" ? 8 : 32;
  return fields.whole_number("num_key_value_heads", fields.is_null("num_key_value_heads") ? heads : by_class);
}

/// Sizes of which 0 would be taken for their default.
void require_above_zero(ConfigFields& fields, std::initializer_list<const char*> names) {
  for (const char* field : names) {
    if (fields.has(field) && fields.whole_number(field) < 1) fields.refuse(field, "is not above 0");
  }
}

/// Llama and its relatives.
Config read_llama(ConfigFields& fields, const std::string& type) {
  Config config;
  config.normalization = Normalization::rms_norm;
  config.activation = Activation::swiglu;
  config.biases = type == "qwen2" ? Biases::query_key_value : Biases::none;
  config.query_key_norm = type == "qwen3";
  config.layers = fields.whole_number("num_hidden_layers");
  config.heads = fields.whole_number("num_attention_heads");
  config.key_value_heads = key_value_heads(fields, type, config.heads);
  config.width = fields.whole_number("hidden_size");
  config.head_width = fields.whole_number("head_dim", type == "qwen3" ? 128 : 0);
  require_above_zero(fields, {"num_key_value_heads", "head_dim"});
  config.feed_forward_width = fields.whole_number("intermediate_size");
  config.normalization_epsilon = static_cast<float>(fields.number("rms_norm_eps", 1e-6));
  config.vocabulary_size = fields.whole_number("vocab_size");
  config.tied_head = fields.truth("tie_word_embeddings", false);
  require_text(fields, "hidden_act", {"silu", "swish"});
  require_false(fields, {"attention_bias", "mlp_bias"});
  read_rotary(fields, 10'000, config);
  config.attention_window = attention_window(fields, type, config.layers);
  return config;
}

}  // namespace

Config read_hugging_face_config(const nlohmann::json& json, const std::string& name) {
  ConfigFields fields(json, name);
  if (fields.has("quantization_config")) fields.refuse("quantization_config", "asks for weights that are not read");
  const std::string type = fields.text("model_type", "");
  const bool llama = type == "llama" || type == "mistral" || type == "qwen2" || type == "qwen3";
  if (!llama && type != "gpt2") {
    fields.refuse("model_type",
                  fmt::format("{} is not built; there are gpt2, llama, mistral, qwen2 and qwen3", io::in_quotes(type)));
  }
  const Config config = llama ? read_llama(fields, type) : read_gpt2(fields);
  if (!fields.truth("is_causal", true))
    fields.refuse("is_causal", "asks for attention to later tokens, which is not built");
  ignore_what_changes_nothing(fields);
  fields.refuse_others();
  try {
    model::shape::validate(config);
  } catch (const model::Error& error) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", name, error.what()));
  }
  return config;
}

}  // namespace chainrule::pipeline::models::external
