#include "pipeline/models/external/tensor_names.h"

#include <fmt/format.h>

namespace chainrule::pipeline::models::external {
namespace {

using model::shape::AttentionShape;
using model::shape::Config;

/// Puts the pieces of one layer's parameters into a map.
class Layer {
 public:
  /// to: before the names of the other system's tensors, such as "h.3.".
  Layer(TensorMap& map, std::int64_t layer, std::string from)
      : map_(map), ours_(fmt::format("layers.{}.", layer)), from_(std::move(from)) {}

  void put(const std::string& ours, const std::string& theirs, std::int64_t rows, bool transposed = false) {
    put(ours, {{theirs, rows, transposed}});
  }
  void put(const std::string& ours, std::vector<Piece> pieces) {
    for (Piece& piece : pieces) piece.tensor.insert(0, from_);
    map_[ours_ + ours] = std::move(pieces);
  }

 private:
  TensorMap& map_;
  std::string ours_;
  std::string from_;
};

/// How another system names GPT-2's tensors.
struct Gpt2Names {
  const char* layer;  ///< format of a layer's prefix
  const char* first_norm;
  const char* query_key_value;
  const char* output;
  const char* second_norm;
  const char* up;
  const char* down;
  const char* final_norm;
  const char* weight;
  const char* bias;
  const char* token_embedding;
  const char* position_embedding;
  bool transposed;
};

TensorMap gpt2_map(const Config& config, const Gpt2Names& names, const std::string& prefix) {
  TensorMap map;
  const std::int64_t c = config.width;
  for (std::int64_t i = 0; i < config.layers; ++i) {
    Layer layer(map, i, prefix + fmt::format(fmt::runtime(names.layer), i));
    const auto both = [&](const char* ours, const std::string& theirs, std::int64_t rows, bool transposed) {
      layer.put(fmt::format("{}.weight", ours), theirs + names.weight, rows, transposed);
      layer.put(fmt::format("{}.bias", ours), theirs + names.bias, rows);
    };
    both("attention_norm", names.first_norm, c, false);
    both("attention.query_key_value", names.query_key_value, 3 * c, names.transposed);
    both("attention.output", names.output, c, names.transposed);
    both("feed_forward_norm", names.second_norm, c, false);
    both("feed_forward.up", names.up, config.feed_forward_width, names.transposed);
    both("feed_forward.down", names.down, c, names.transposed);
  }
  map["final_norm.weight"] = {{prefix + names.final_norm + names.weight, c}};
  map["final_norm.bias"] = {{prefix + names.final_norm + names.bias, c}};
  map["token_embedding.weight"] = {{prefix + names.token_embedding, config.vocabulary_size}};
  map["position_embedding.weight"] = {{prefix + names.position_embedding, config.sequence_length}};
  return map;
}

/// How another system names the tensors of Llama's relatives.
struct LlamaNames {
  const char* layer;  ///< format of a layer's prefix
  const char* first_norm;
  const char* query;
  const char* key;
  const char* value;
  const char* output;
  const char* query_norm;
  const char* key_norm;
  const char* second_norm;
  const char* gate;
  const char* up;
  const char* down;
  const char* final_norm;
  const char* token_embedding;
  const char* head;
};

/// prefix: of all but the head.
TensorMap llama_map(const Config& config, const LlamaNames& names, const std::string& prefix, bool alternating) {
  TensorMap map;
  const AttentionShape attention = model::shape::attention_shape(config);
  const std::int64_t turned = alternating ? attention.head_width : 0;
  const auto weight = [](const char* name) { return fmt::format("{}.weight", name); };
  const auto query_key_value = [&](const char* kind) {
    return std::vector<Piece>{{fmt::format("{}.{}", names.query, kind), attention.query_width(), false, turned},
                              {fmt::format("{}.{}", names.key, kind), attention.key_value_width(), false, turned},
                              {fmt::format("{}.{}", names.value, kind), attention.key_value_width()}};
  };
  for (std::int64_t i = 0; i < config.layers; ++i) {
    Layer layer(map, i, prefix + fmt::format(fmt::runtime(names.layer), i));
    layer.put("attention_norm.weight", weight(names.first_norm), config.width);
    layer.put("attention.query_key_value.weight", query_key_value("weight"));
    if (config.biases == model::shape::Biases::query_key_value) {
      layer.put("attention.query_key_value.bias", query_key_value("bias"));
    }
    if (config.query_key_norm) {
      layer.put("attention.query_key_norm.weight",
                {{weight(names.query_norm), attention.head_width}, {weight(names.key_norm), attention.head_width}});
    }
    layer.put("attention.output.weight", weight(names.output), config.width);
    layer.put("feed_forward_norm.weight", weight(names.second_norm), config.width);
    layer.put("feed_forward.gate_up.weight",
              {{weight(names.gate), config.feed_forward_width}, {weight(names.up), config.feed_forward_width}});
    layer.put("feed_forward.down.weight", weight(names.down), config.width);
  }
  map["final_norm.weight"] = {{prefix + weight(names.final_norm), config.width}};
  map["token_embedding.weight"] = {{prefix + weight(names.token_embedding), config.vocabulary_size}};
  if (!config.tied_head) map["head.weight"] = {{weight(names.head), config.vocabulary_size}};
  return map;
}

}  // namespace

TensorMap hugging_face_gpt2_map(const Config& config, const std::string& prefix) {
  return gpt2_map(config,
                  {.layer = "h.{}.",
                   .first_norm = "ln_1",
                   .query_key_value = "attn.c_attn",
                   .output = "attn.c_proj",
                   .second_norm = "ln_2",
                   .up = "mlp.c_fc",
                   .down = "mlp.c_proj",
                   .final_norm = "ln_f",
                   .weight = ".weight",
                   .bias = ".bias",
                   .token_embedding = "wte.weight",
                   .position_embedding = "wpe.weight",
                   .transposed = true},
                  prefix);
}

TensorMap gguf_gpt2_map(const Config& config) {
  return gpt2_map(config,
                  {.layer = "blk.{}.",
                   .first_norm = "attn_norm",
                   .query_key_value = "attn_qkv",
                   .output = "attn_output",
                   .second_norm = "ffn_norm",
                   .up = "ffn_up",
                   .down = "ffn_down",
                   .final_norm = "output_norm",
                   .weight = ".weight",
                   .bias = ".bias",
                   .token_embedding = "token_embd.weight",
                   .position_embedding = "position_embd.weight",
                   .transposed = false},
                  "");
}

TensorMap llmc_map(const Config& config) {
  return gpt2_map(config,
                  {.layer = "h.{}.",
                   .first_norm = "ln1",
                   .query_key_value = "qkv",
                   .output = "attproj",
                   .second_norm = "ln2",
                   .up = "fc",
                   .down = "fcproj",
                   .final_norm = "lnf",
                   .weight = "w",
                   .bias = "b",
                   .token_embedding = "wte",
                   .position_embedding = "wpe",
                   .transposed = false},
                  "");
}

TensorMap hugging_face_llama_map(const Config& config, const std::string& prefix) {
  return llama_map(config,
                   {.layer = "layers.{}.",
                    .first_norm = "input_layernorm",
                    .query = "self_attn.q_proj",
                    .key = "self_attn.k_proj",
                    .value = "self_attn.v_proj",
                    .output = "self_attn.o_proj",
                    .query_norm = "self_attn.q_norm",
                    .key_norm = "self_attn.k_norm",
                    .second_norm = "post_attention_layernorm",
                    .gate = "mlp.gate_proj",
                    .up = "mlp.up_proj",
                    .down = "mlp.down_proj",
                    .final_norm = "norm",
                    .token_embedding = "embed_tokens",
                    .head = "lm_head"},
                   prefix, false);
}

TensorMap gguf_map(const Config& config, bool alternating) {
  return llama_map(config,
                   {.layer = "blk.{}.",
                    .first_norm = "attn_norm",
                    .query = "attn_q",
                    .key = "attn_k",
                    .value = "attn_v",
                    .output = "attn_output",
                    .query_norm = "attn_q_norm",
                    .key_norm = "attn_k_norm",
                    .second_norm = "ffn_norm",
                    .gate = "ffn_gate",
                    .up = "ffn_up",
                    .down = "ffn_down",
                    .final_norm = "output_norm",
                    .token_embedding = "token_embd",
                    .head = "output"},
                   "", alternating);
}

}  // namespace chainrule::pipeline::models::external
