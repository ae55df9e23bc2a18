// config.json: each family and each scaling is read, everything else is refused by the name of its field.
#include "pipeline/models/external/hugging_face_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "io/error.h"

namespace chainrule::pipeline::models::external {
namespace {

using model::shape::Biases;
using model::shape::Config;
using nlohmann::json;
using testing::HasSubstr;
using Kind = model::shape::RotaryScaling::Kind;

json llama(const std::string& type = "llama") {
  return {{"model_type", type},          {"num_hidden_layers", 3},   {"num_attention_heads", 4},
          {"num_key_value_heads", 2},    {"hidden_size", 64},        {"intermediate_size", 96},
          {"vocab_size", 100},           {"rms_norm_eps", 1e-5},     {"max_position_embeddings", 256},
          {"rope_theta", 500000.0},      {"head_dim", 24},           {"hidden_act", "silu"},
          {"tie_word_embeddings", true}, {"torch_dtype", "bfloat16"}};
}

json gpt2() {
  return {{"model_type", "gpt2"}, {"n_layer", 2},       {"n_head", 4},
          {"n_embd", 64},         {"n_positions", 128}, {"vocab_size", 90}};
}

json with(json object, const json& more) {
  object.update(more);
  return object;
}

json without(json object, const char* field) {
  object.erase(field);
  return object;
}

Config read(const json& config) { return read_hugging_face_config(config, "'config.json'"); }

std::string refusal(const json& config) {
  try {
    read(config);
  } catch (const io::Error& error) {
    EXPECT_EQ(error.kind(), io::ErrorKind::bad_data);
    return error.what();
  }
  return "it was read";
}

TEST(HuggingFaceConfig, Llama) {
  const Config config = read(llama());
  EXPECT_EQ(config.layers, 3);
  EXPECT_EQ(config.heads, 4);
  EXPECT_EQ(config.key_value_heads, 2);
  EXPECT_EQ(config.width, 64);
  EXPECT_EQ(config.head_width, 24);
  EXPECT_EQ(config.feed_forward_width, 96);
  EXPECT_EQ(config.vocabulary_size, 100);
  EXPECT_EQ(config.sequence_length, 256);
  EXPECT_EQ(config.normalization_epsilon, 1e-5F);
  EXPECT_EQ(config.normalization, model::shape::Normalization::rms_norm);
  EXPECT_EQ(config.position_encoding, model::shape::PositionEncoding::rotary);
  EXPECT_EQ(config.activation, model::shape::Activation::swiglu);
  EXPECT_EQ(config.rotary.theta, 500'000);
  EXPECT_EQ(config.rotary.scaling.kind, Kind::none);
  EXPECT_EQ(config.biases, Biases::none);
  EXPECT_FALSE(config.query_key_norm);
  EXPECT_TRUE(config.tied_head);
  EXPECT_EQ(config.attention_window, 0);
}

TEST(HuggingFaceConfig, DefaultsAreThoseOfEachClass) {
  const auto bare = [](const char* type) {
    json config = with(llama(type), {{"num_attention_heads", 32}, {"hidden_size", 256}});
    for (const char* field : {"num_key_value_heads", "rms_norm_eps", "rope_theta", "head_dim", "tie_word_embeddings"}) {
      config.erase(field);
    }
    return config;
  };
  for (const char* type : {"llama", "mistral", "qwen2", "qwen3"}) {
    const Config config = read(bare(type));
    EXPECT_EQ(config.key_value_heads, std::string(type) == "mistral" ? 8 : 32) << type;
    EXPECT_EQ(config.head_width, std::string(type) == "qwen3" ? 128 : 0) << type;
    EXPECT_EQ(config.normalization_epsilon, 1e-6F);
    EXPECT_EQ(config.rotary.theta, 10'000);
    EXPECT_FALSE(config.tied_head);
    EXPECT_EQ(read(with(bare(type), {{"num_key_value_heads", nullptr}})).key_value_heads, 32) << type;
  }
}

TEST(HuggingFaceConfig, RelativesOfLlama) {
  EXPECT_EQ(read(llama("qwen2")).biases, Biases::query_key_value);
  EXPECT_TRUE(read(llama("qwen3")).query_key_norm);
  EXPECT_EQ(read(llama("qwen3")).biases, Biases::none);
}

TEST(HuggingFaceConfig, Windows) {
  EXPECT_EQ(read(with(llama("mistral"), {{"sliding_window", 16}})).attention_window, 16);
  EXPECT_EQ(read(with(llama("mistral"), {{"sliding_window", nullptr}})).attention_window, 0);
  EXPECT_EQ(read(llama("mistral")).attention_window, 4096);
  EXPECT_THAT(refusal(with(llama("mistral"), {{"sliding_window", 0}})), HasSubstr("'sliding_window'"));
  EXPECT_THAT(refusal(with(llama(), {{"sliding_window", 16}})), HasSubstr("'sliding_window'"));
  const json qwen = with(llama("qwen2"), {{"sliding_window", 16}, {"max_window_layers", 0}});
  EXPECT_EQ(read(qwen).attention_window, 0);
  EXPECT_EQ(read(with(qwen, {{"use_sliding_window", true}})).attention_window, 16);
  EXPECT_EQ(read(with(qwen, {{"use_sliding_window", true}, {"max_window_layers", 3}})).attention_window, 0);
  EXPECT_THAT(refusal(with(qwen, {{"use_sliding_window", true}, {"max_window_layers", 2}})),
              HasSubstr("'max_window_layers'"));
  const json sliding = {"sliding_attention", "sliding_attention", "sliding_attention"};
  const json full = {"full_attention", "full_attention", "full_attention"};
  const json mistral = with(llama("mistral"), {{"sliding_window", 16}});
  EXPECT_EQ(read(with(mistral, {{"layer_types", sliding}})).attention_window, 16);
  EXPECT_THAT(refusal(with(mistral, {{"layer_types", full}})), HasSubstr("'layer_types'"));
  EXPECT_THAT(refusal(with(mistral, {{"sliding_window", nullptr}, {"layer_types", sliding}})),
              HasSubstr("'layer_types'"));
  EXPECT_EQ(read(with(llama(), {{"layer_types", full}})).attention_window, 0);
  EXPECT_THAT(refusal(with(llama(), {{"layer_types", sliding}})), HasSubstr("'layer_types'"));
  const json unset = with(llama("qwen2"), {{"use_sliding_window", true}, {"max_window_layers", 0}});
  EXPECT_EQ(read(unset).attention_window, 4096);
  EXPECT_EQ(read(with(unset, {{"sliding_window", nullptr}})).attention_window, 0);
  EXPECT_THAT(refusal(with(unset, {{"sliding_window", nullptr}, {"layer_types", sliding}})),
              HasSubstr("'sliding_window'"));
  EXPECT_EQ(read(with(qwen, {{"use_sliding_window", true}, {"layer_types", sliding}})).attention_window, 16);
  EXPECT_EQ(read(with(qwen, {{"layer_types", full}})).attention_window, 0);
  const json some = with(qwen, {{"use_sliding_window", true}, {"max_window_layers", 2}});
  EXPECT_EQ(read(with(some, {{"layer_types", full}})).attention_window, 0);
  EXPECT_EQ(read(with(some, {{"layer_types", sliding}})).attention_window, 16);
  EXPECT_THAT(refusal(with(qwen, {{"layer_types", sliding}})), HasSubstr("'layer_types'"));
  EXPECT_THAT(refusal(with(qwen, {{"layer_types", {"full_attention"}}})), HasSubstr("'layer_types'"));
  EXPECT_THAT(refusal(with(qwen, {{"layer_types", {"full_attention", "sliding_attention", "full_attention"}}})),
              HasSubstr("'layer_types'"));
  EXPECT_THAT(refusal(with(qwen, {{"layer_types", {"linear_attention", "linear_attention", "linear_attention"}}})),
              HasSubstr("'layer_types'"));
}

TEST(HuggingFaceConfig, Gpt2) {
  const Config config = read(gpt2());
  Config expected;
  expected.layers = 2;
  expected.heads = 4;
  expected.width = 64;
  expected.feed_forward_width = 256;
  expected.vocabulary_size = 90;
  expected.sequence_length = 128;
  EXPECT_EQ(config, expected);
  EXPECT_EQ(read(with(gpt2(), {{"n_inner", 100}})).feed_forward_width, 100);
  EXPECT_EQ(read(with(gpt2(), {{"n_inner", nullptr}})).feed_forward_width, 256);
  for (const json& more : {json{{"activation_function", "relu"}}, json{{"tie_word_embeddings", false}},
                           json{{"scale_attn_weights", false}}, json{{"scale_attn_by_inverse_layer_idx", true}},
                           json{{"scale_attn_weights", nullptr}}, json{{"tie_word_embeddings", nullptr}},
                           json{{"add_cross_attention", true}}, json{{"rope_theta", 1e4}}}) {
    EXPECT_THAT(refusal(with(gpt2(), more)), HasSubstr("'" + more.begin().key() + "'"));
  }
}

TEST(HuggingFaceConfig, ScalingsInBothSpellings) {
  const std::vector<std::pair<json, Kind>> scalings = {
      {{{"rope_type", "default"}}, Kind::none},
      {{{"rope_type", "linear"}, {"factor", 4.0}}, Kind::linear},
      {{{"rope_type", "llama3"},
        {"factor", 8},
        {"low_freq_factor", 1.0},
        {"high_freq_factor", 4.0},
        {"original_max_position_embeddings", 64}},
       Kind::llama3},
      {{{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 64}}, Kind::yarn},
      {{{"rope_type", "dynamic"}, {"factor", 2.5}}, Kind::dynamic}};
  for (const auto& [scaling, kind] : scalings) {
    const Config config = read(with(llama(), {{"rope_scaling", scaling}}));
    EXPECT_EQ(config.rotary.scaling.kind, kind) << scaling;
    EXPECT_EQ(config.rotary.theta, 500'000);
    EXPECT_EQ(config.sequence_length, kind == Kind::dynamic ? 640 : 256);
    EXPECT_EQ(config.rotary.scaling.factor, scaling.value("factor", 1.0));
    const std::map<Kind, std::int64_t> original = {
        {Kind::none, 0}, {Kind::linear, 256}, {Kind::llama3, 64}, {Kind::yarn, 64}, {Kind::dynamic, 256}};
    EXPECT_EQ(config.rotary.scaling.original_length, original.at(kind)) << scaling;
    const json parameters = with(scaling, {{"rope_theta", 500'000}});
    EXPECT_EQ(read(with(without(llama(), "rope_theta"), {{"rope_parameters", parameters}})), config) << scaling;
    json old = without(scaling, "rope_type");
    old["type"] = scaling["rope_type"];
    EXPECT_EQ(read(with(llama(), {{"rope_scaling", old}})), config) << old;
    old["rope_type"] = scaling["rope_type"];
    EXPECT_EQ(read(with(llama(), {{"rope_scaling", old}})), config) << old;
  }
  for (const auto& [truncate, is] : {std::pair(json(true), true), {json(false), false}, {json(nullptr), false}}) {
    const json yarn = {{"rope_type", "yarn"}, {"factor", 4.0}, {"truncate", truncate}};
    EXPECT_EQ(read(with(llama(), {{"rope_scaling", yarn}})).rotary.scaling.truncate, is) << truncate;
  }
}

// What the published configurations of these models hold besides.
TEST(HuggingFaceConfig, FieldsThatChangeNothingAreTaken) {
  const json old = {{"n_special", 0},      {"predict_special_tokens", true},
                    {"output_past", true}, {"_num_labels", 1},
                    {"n_ctx", 128},        {"task_specific_params", {{"text-generation", {{"do_sample", true}}}}}};
  EXPECT_EQ(read(with(gpt2(), old)), read(gpt2()));
  const json recent = {{"max_sequence_length", 2048}, {"_attn_implementation_autoset", true},
                       {"is_causal", true},           {"pretraining_tp", 1},
                       {"repetition_penalty", 1.1},   {"torchscript", true}};
  for (const char* type : {"llama", "mistral", "qwen2", "qwen3"}) {
    EXPECT_EQ(read(with(llama(type), recent)), read(llama(type))) << type;
  }
}

TEST(HuggingFaceConfig, AttentionToLaterTokensIsRefused) {
  for (const json& value : {json(false), json(nullptr)}) {
    EXPECT_THAT(refusal(with(gpt2(), {{"is_causal", value}})), HasSubstr("'is_causal'"));
    for (const char* type : {"llama", "mistral", "qwen2", "qwen3"}) {
      EXPECT_THAT(refusal(with(llama(type), {{"is_causal", value}})), HasSubstr("'is_causal'")) << type;
    }
  }
}

TEST(HuggingFaceConfig, ScalingsThatAreNotBuiltAreRefused) {
  const auto scaled = [](const json& scaling) { return refusal(with(llama(), {{"rope_scaling", scaling}})); };
  EXPECT_THAT(scaled({{"rope_type", "longrope"}, {"factor", 2}}), HasSubstr("'rope_type' 'longrope'"));
  EXPECT_THAT(scaled({{"rope_type", "linear"}}), HasSubstr("rope_scaling: the field 'factor' is absent"));
  EXPECT_THAT(scaled({{"rope_type", "linear"}, {"factor", "2"}}), HasSubstr("'factor' is no number"));
  EXPECT_THAT(scaled({{"rope_type", "linear"}, {"factor", 0}}), HasSubstr("factor"));
  EXPECT_THAT(scaled({{"rope_type", "linear"}, {"factor", 2}, {"beta_fast", 3}}), HasSubstr("'beta_fast'"));
  EXPECT_THAT(scaled({{"rope_type", "llama3"}, {"factor", 2}}), HasSubstr("'low_freq_factor' is absent"));
  EXPECT_THAT(scaled({{"rope_type", "dynamic"}, {"factor", 1e30}}), HasSubstr("'rope_scaling'"));
  EXPECT_THAT(scaled({{"rope_type", "yarn"}, {"factor", 2}, {"original_max_position_embeddings", 0}}),
              HasSubstr("original length"));
  EXPECT_THAT(scaled({{"rope_type", "linear"}, {"type", "dynamic"}, {"factor", 2}}),
              HasSubstr("'type' says something else than rope_type"));
  EXPECT_THAT(scaled("linear"), HasSubstr("rope_scaling is no object"));
  EXPECT_THAT(scaled({{"full_attention", {{"rope_type", "default"}}}}), HasSubstr("'full_attention'"));
  const json linear = {{"rope_type", "linear"}, {"factor", 2}};
  EXPECT_THAT(refusal(with(llama(), {{"rope_scaling", linear}, {"rope_parameters", {{"rope_type", "default"}}}})),
              HasSubstr("'rope_scaling' says something else than rope_parameters"));
  EXPECT_THAT(refusal(with(llama(), {{"partial_rotary_factor", 0.5}})), HasSubstr("'partial_rotary_factor'"));
}

TEST(HuggingFaceConfig, WhatIsNotBuiltIsRefusedByItsName) {
  const std::vector<std::pair<const char*, json>> asked = {{"num_local_experts", 8},
                                                           {"kv_lora_rank", 512},
                                                           {"attention_bias", true},
                                                           {"mlp_bias", true},
                                                           {"hidden_act", "gelu"},
                                                           {"final_logit_softcapping", 30.0},
                                                           {"alibi", true},
                                                           {"use_mrope", true},
                                                           {"quantization_config", {{"bits", 4}}},
                                                           {"attn_logit_softcapping", 50.0},
                                                           {"a field of tomorrow", "yes"}};
  for (const auto& [field, value] : asked) {
    EXPECT_THAT(refusal(with(llama(), {{field, value}})), HasSubstr("'" + std::string(field) + "'"));
  }
  for (const char* type : {"mixtral", "gemma2", "phi3", "", "LLAMA"}) {
    EXPECT_THAT(refusal(llama(type)), HasSubstr("'model_type'"));
  }
  for (const json& nothing : {json(nullptr), json(false), json::object()}) {
    EXPECT_EQ(read(with(llama(), {{"a field of tomorrow", nothing}})), read(llama()));
  }
}

TEST(HuggingFaceConfig, FieldsOfTheWrongTypeOrSizeAreRefused) {
  EXPECT_THAT(refusal(json::array()), HasSubstr("is no object"));
  for (const char* field : {"num_hidden_layers", "num_attention_heads", "num_key_value_heads", "hidden_size",
                            "intermediate_size", "vocab_size", "max_position_embeddings", "head_dim"}) {
    for (const json& value : {json("7"), json(2.5), json(1e300), json(UINT64_MAX), json(INT64_MAX), json(INT64_MIN),
                              json(0), json(-4), json::array({1}), json(true)}) {
      EXPECT_THAT(refusal(with(llama(), {{field, value}})), testing::Not("it was read")) << field << " " << value;
    }
  }
  for (const char* field : {"n_layer", "n_head", "n_embd", "n_positions", "n_inner", "vocab_size"}) {
    for (const json& value : {json(INT64_MAX), json(INT64_MIN), json("1"), json(0), json(-1)}) {
      EXPECT_THAT(refusal(with(gpt2(), {{field, value}})), testing::Not("it was read")) << field << " " << value;
    }
  }
  for (const char* field : {"num_hidden_layers", "num_attention_heads", "hidden_size", "intermediate_size",
                            "vocab_size", "max_position_embeddings"}) {
    EXPECT_THAT(refusal(without(llama(), field)), HasSubstr("'" + std::string(field) + "' is absent"));
  }
  for (const json& value : {json("x"), json(0), json(-1e-5), json(1e300)}) {
    EXPECT_THAT(refusal(with(llama(), {{"rms_norm_eps", value}})), testing::Not("it was read")) << value;
    EXPECT_THAT(refusal(with(llama(), {{"rope_theta", value}})), testing::Not("it was read")) << value;
  }
  EXPECT_THAT(refusal(with(llama(), {{"tie_word_embeddings", "yes"}})), HasSubstr("'tie_word_embeddings'"));
  EXPECT_THAT(refusal(with(llama(), {{"model_type", 3}})), HasSubstr("'model_type'"));
  EXPECT_THAT(refusal(with(llama(), {{"head_dim", 25}})), HasSubstr("even head width"));
  EXPECT_THAT(refusal(with(llama(), {{"num_key_value_heads", 3}})), HasSubstr("not a multiple"));
}

}  // namespace
}  // namespace chainrule::pipeline::models::external
