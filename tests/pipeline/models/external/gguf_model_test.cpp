// GGUF files as models: the keys of each architecture, and what they ask for that is not built.
#include "pipeline/models/external/gguf_model.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <tuple>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "model/shape/parameters.h"
#include "pipeline/models/external/gguf_rotary.h"
#include "pipeline/models/external/tensor_names.h"
#include "tests/io/tensors/gguf/gguf_case.h"

namespace chainrule::pipeline::models::external {
namespace {

namespace gguf = io::tensors::gguf;
using gguf::ValueType;
using io::tensors::bytes_of;
using model::shape::Config;
using testing::HasSubstr;
using Kind = model::shape::RotaryScaling::Kind;

std::string number(std::uint32_t value) { return bytes_of(value); }

/// A GGUF file of zeros in the shape of a model, with keys that a test changes.
class GgufModel : public testing::Test {
 protected:
  GgufModel() {
    for (const auto& [key, value] : std::map<std::string, std::uint32_t>{{"block_count", 2},
                                                                         {"attention.head_count", 4},
                                                                         {"attention.head_count_kv", 2},
                                                                         {"embedding_length", 32},
                                                                         {"feed_forward_length", 64},
                                                                         {"context_length", 128},
                                                                         {"rope.dimension_count", 8}}) {
      set(key, value);
    }
    keys_["attention.layer_norm_rms_epsilon"] = {ValueType::f32, bytes_of(1e-5F)};
    shape_.layers = 2;
    shape_.heads = 4;
    shape_.key_value_heads = 2;
    shape_.width = 32;
    shape_.feed_forward_width = 64;
    shape_.vocabulary_size = 10;
    shape_.sequence_length = 128;
    shape_.normalization = model::shape::Normalization::rms_norm;
    shape_.position_encoding = model::shape::PositionEncoding::rotary;
    shape_.activation = model::shape::Activation::swiglu;
    shape_.biases = model::shape::Biases::none;
  }
  ~GgufModel() override { std::filesystem::remove(path_); }

  void set(const std::string& key, std::uint32_t value) { keys_[key] = {ValueType::u32, number(value)}; }
  void set_float(const std::string& key, float value) { keys_[key] = {ValueType::f32, bytes_of(value)}; }
  void set_text(const std::string& key, const std::string& value) {
    keys_[key] = {ValueType::string, gguf::text(value)};
  }

  /// Opens what the keys say, with the tensors of shape_.
  ExternalModel open(const std::string& architecture = "llama") {
    std::vector<std::string> pairs = {gguf::pair("general.architecture", ValueType::string, gguf::text(architecture))};
    for (const auto& [key, value] : keys_)
      pairs.push_back(gguf::pair(architecture + "." + key, value.first, value.second));
    for (const auto& [key, value] : whole_keys_) pairs.push_back(gguf::pair(key, value.first, value.second));
    std::vector<std::string> tensors;
    std::uint64_t at = 0;
    const model::shape::ParameterTable table(shape_);
    const TensorMap map = gguf_map(shape_, architecture == "llama");
    for (const model::shape::Parameter& parameter : table.parameters()) {
      for (const Piece& piece : map.at(parameter.name)) {
        std::vector<std::uint64_t> extents = {static_cast<std::uint64_t>(piece.rows)};
        if (parameter.is_matrix()) extents.insert(extents.begin(), static_cast<std::uint64_t>(parameter.shape[1]));
        tensors.push_back(gguf::tensor(piece.tensor, extents, 0, at));
        std::uint64_t bytes = 4;
        for (const std::uint64_t extent : extents) bytes *= extent;
        at += (bytes + 31) / 32 * 32;
      }
    }
    tensors.insert(tensors.end(), more_tensors_.begin(), more_tensors_.end());
    if (!factors_.empty()) tensors.push_back(gguf::tensor(kFrequencyFactors, {factors_.size()}, factors_type_, at));
    std::string file = gguf::file_of(pairs, tensors, at + factors_.size() * (factors_type_ == 0 ? 4 : 2));
    if (factors_type_ == 0) {
      file.resize(file.size() - factors_.size() * 4);
      for (const float factor : factors_) file += bytes_of(factor);
    }
    io::files::write_file_atomically(path_, file);
    ExternalModel model = open_gguf(path_);
    weights_of(model);
    return model;
  }
  std::string refusal(const std::string& architecture = "llama") {
    try {
      open(architecture);
    } catch (const io::Error& error) {
      return error.what();
    }
    return "it was read";
  }

  std::map<std::string, std::pair<ValueType, std::string>> keys_;        ///< behind the architecture's name
  std::map<std::string, std::pair<ValueType, std::string>> whole_keys_;  ///< as they are
  Config shape_;
  std::vector<std::string> more_tensors_;
  std::vector<float> factors_;      ///< of frequencies
  std::uint32_t factors_type_ = 0;  ///< F32
  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("chainrule-gguf-" + std::to_string(::getpid()) + ".gguf");
};

TEST_F(GgufModel, LlamaAndItsRelatives) {
  EXPECT_EQ(open().config.normalization_epsilon, 1e-5F);
  EXPECT_EQ(open().config.key_value_heads, 2);
  EXPECT_TRUE(open().config.tied_head);
  EXPECT_EQ(open().map.at("layers.0.attention.query_key_value.weight")[0].alternating, 8);
  shape_.query_key_norm = true;
  EXPECT_TRUE(open("qwen3").config.query_key_norm);
  EXPECT_EQ(open("qwen3").map.at("layers.0.attention.query_key_value.weight")[0].alternating, 0);
  shape_.query_key_norm = false;
  shape_.biases = model::shape::Biases::query_key_value;
  EXPECT_EQ(open("qwen2").config.biases, model::shape::Biases::query_key_value);
  shape_.biases = model::shape::Biases::none;
  shape_.tied_head = false;
  EXPECT_FALSE(open().config.tied_head);
}

TEST_F(GgufModel, HeadsApartFromTheWidth) {
  shape_.head_width = 6;
  set("attention.head_count", 5);
  shape_.heads = shape_.key_value_heads = 5;
  set("attention.head_count_kv", 5);
  EXPECT_THAT(refusal(), HasSubstr("'llama.attention.head_count' does not divide"));
  set("attention.key_length", 6);
  set("attention.value_length", 6);
  set("rope.dimension_count", 6);
  EXPECT_EQ(open().config.head_width, 6);
  set("attention.value_length", 8);
  EXPECT_THAT(refusal(), HasSubstr("'llama.attention.value_length'"));
}

/// llama.cpp heeds it for none of these architectures.
TEST_F(GgufModel, AWindowIsRefusedWhereItWouldLeaveSomethingOut) {
  for (const std::uint32_t window : {0U, 128U, 4096U}) {
    set("attention.sliding_window", window);
    EXPECT_EQ(open().config.attention_window, 0);
  }
  set("attention.sliding_window", 127);
  EXPECT_THAT(refusal(), HasSubstr("'llama.attention.sliding_window' of 127"));
}

TEST_F(GgufModel, Scaling) {
  set_text("rope.scaling.type", "linear");
  keys_["rope.scaling.factor"] = {ValueType::f32, bytes_of(4.0F)};
  keys_["rope.freq_base"] = {ValueType::f32, bytes_of(500.0F)};
  EXPECT_EQ(open().config.rotary.scaling.factor, 4);
  EXPECT_EQ(open().config.rotary.theta, 500);
  keys_.erase("rope.scaling.type");
  EXPECT_EQ(open().config.rotary.scaling.kind, Kind::linear);
  set_text("rope.scaling.type", "none");  // whatever the factor
  EXPECT_EQ(open().config.rotary.scaling, model::shape::RotaryScaling{});
  set_text("rope.scaling.type", "longrope");
  EXPECT_THAT(refusal(), HasSubstr("'llama.rope.scaling.type'"));
}

TEST_F(GgufModel, YarnIsThatOfLlamaCpp) {
  set_text("rope.scaling.type", "yarn");
  set_float("rope.scaling.factor", 4);
  model::shape::RotaryScaling expected{.kind = Kind::yarn, .factor = 4, .original_length = 128};
  expected.attention_factor = 0.1 * std::log(4.0) + 1;
  EXPECT_EQ(open().config.rotary.scaling, expected);
  set("rope.scaling.original_context_length", 32);
  set_float("rope.scaling.attn_factor", 0.5F);
  keys_["rope.scaling.finetuned"] = {ValueType::boolean, std::string(1, '\1')};
  expected.original_length = 32;
  expected.attention_factor *= 0.5;
  EXPECT_EQ(open().config.rotary.scaling, expected);
  shape_.biases = model::shape::Biases::query_key_value;
  EXPECT_EQ(open("qwen2").config.rotary.scaling, expected);
}

/// llama.cpp's converter writes what it then does not read; where that asks for nothing else, a file is read.
TEST_F(GgufModel, NumbersOfYarnThatLlamaCppDoesNotHeedAreRefused) {
  set_text("rope.scaling.type", "yarn");
  set_float("rope.scaling.factor", 4);
  const auto keys = keys_;
  const auto factor = static_cast<float>(0.1 * std::log(4.0) + 1);
  for (const auto& [key, same, other] :
       std::vector<std::tuple<const char*, float, float>>{{"rope.scaling.yarn_beta_fast", 32, 16},
                                                          {"rope.scaling.yarn_beta_slow", 1, 2},
                                                          {"rope.scaling.yarn_ext_factor", 1, 0},
                                                          {"rope.scaling.yarn_ext_factor", -1, 0.5F},
                                                          {"rope.scaling.yarn_attn_factor", 1, 1.5F},
                                                          {"rope.scaling.yarn_attn_factor", factor, 2},
                                                          {"rope.scaling.yarn_log_multiplier", 0, 0.1F}}) {
    keys_ = keys;
    set_float(key, same);
    EXPECT_EQ(open().config.rotary.scaling.kind, Kind::yarn) << key;
    set_float(key, other);
    EXPECT_THAT(refusal(), HasSubstr("llama." + std::string(key))) << key;
  }
  keys_ = keys;
  set_text("rope.scaling.type", "linear");
  set_float("rope.scaling.attn_factor", 1.5F);
  EXPECT_THAT(refusal(), HasSubstr("'llama.rope.scaling.attn_factor'"));
}

TEST_F(GgufModel, FactorsOfFrequencies) {
  factors_ = {1, 2, 1, 32};
  EXPECT_EQ(open().config.rotary.scaling.kind, Kind::factors);
  EXPECT_EQ(open().config.rotary.scaling.factors, factors_);
  set_float("rope.scaling.factor", 4);
  EXPECT_THAT(refusal(), HasSubstr("'rope_freqs.weight' beside another scaling"));
  keys_.erase("rope.scaling.factor");
  for (const float factor : {0.0F, -1.0F, INFINITY, NAN}) {
    factors_.back() = factor;
    EXPECT_THAT(refusal(), HasSubstr("factors must be above 0"));
  }
  factors_type_ = 1;
  EXPECT_THAT(refusal(), HasSubstr("'rope_freqs.weight' does not hold 4 factors"));
  factors_type_ = 0;
  factors_ = {1, 1};
  EXPECT_THAT(refusal(), HasSubstr("'rope_freqs.weight' does not hold 4 factors"));
  factors_ = {1, 1, 1, 1};
  EXPECT_EQ(open().config.rotary.scaling, model::shape::RotaryScaling{});
  shape_.biases = model::shape::Biases::query_key_value;  // llama.cpp looks for them in no Qwen
  EXPECT_THAT(refusal("qwen2"), HasSubstr("'rope_freqs.weight' has no place"));
}

TEST_F(GgufModel, WhatIsNotBuiltIsRefusedByItsKey) {
  EXPECT_THAT(refusal("mamba"), HasSubstr("'general.architecture'"));
  const auto keys = keys_;
  for (const char* key : {"expert_count", "expert_used_count", "vocab_size", "rope.dimension_count",
                          "a_key_of_tomorrow", "attention.value_length"}) {
    keys_ = keys;
    set(key, 3);
    EXPECT_THAT(refusal(), HasSubstr("llama." + std::string(key))) << key;
  }
  keys_ = keys;
  keys_.erase("attention.layer_norm_rms_epsilon");
  EXPECT_THAT(refusal(), HasSubstr("'llama.attention.layer_norm_rms_epsilon' is not there"));
  for (const char* key :
       {"block_count", "attention.head_count", "embedding_length", "feed_forward_length", "context_length"}) {
    keys_ = keys;
    keys_.erase(key);
    EXPECT_THAT(refusal(), HasSubstr("llama." + std::string(key))) << key;
    for (const std::uint32_t value : {0U, 0xFFFFFFFFU}) {
      set(key, value);
      EXPECT_NE(refusal(), "it was read") << key << value;
    }
    keys_[key] = {ValueType::u64, bytes_of(std::uint64_t{INT64_MAX})};
    EXPECT_THAT(refusal(), HasSubstr("llama." + std::string(key))) << key;
    keys_[key] = {ValueType::string, gguf::text("two")};
    EXPECT_THAT(refusal(), HasSubstr("llama." + std::string(key))) << key;
  }
}

TEST_F(GgufModel, TokensThatCannotBeAreRefused) {
  whole_keys_["tokenizer.ggml.model"] = {ValueType::string, gguf::text("gpt2")};
  const std::pair<ValueType, std::string> wrong[] = {{ValueType::i32, bytes_of(std::int32_t{-1})},
                                                     {ValueType::u64, bytes_of(std::uint64_t{1} << 32U)}};
  for (const char* key : {"bos_token_id", "eos_token_id", "unknown_token_id"}) {
    for (const auto& value : wrong) {
      const std::string name = std::string("tokenizer.ggml.") + key;
      whole_keys_[name] = value;
      try {
        open().load_tokenizer();
        FAIL() << "it was read";
      } catch (const io::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("the key '" + name + "' is "));
        EXPECT_THAT(error.what(), HasSubstr("which is no token"));
      }
      whole_keys_.erase(name);
    }
  }
  try {
    open().load_tokenizer();
    FAIL() << "it was read";
  } catch (const io::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the key 'tokenizer.ggml.merges' is not there"));
  }
}

TEST_F(GgufModel, TensorsMustBeThoseOfTheModel) {
  set("block_count", 9'999);
  EXPECT_THAT(refusal(), HasSubstr("tensors for 9999 layers"));
  set("block_count", 2);
  shape_.feed_forward_width = 96;
  EXPECT_THAT(refusal(), HasSubstr("the model's configuration asks for [32, 64]"));
  shape_.feed_forward_width = 64;
  shape_.query_key_norm = true;
  EXPECT_THAT(refusal(), HasSubstr("has no place in the model"));
  shape_.query_key_norm = false;
  EXPECT_THAT(refusal("qwen3"), HasSubstr("attn_q_norm.weight'"));
  more_tensors_ = {gguf::tensor("token_embd.bias", {0}, 0, 0)};
  EXPECT_THAT(refusal(), HasSubstr("'token_embd.bias'"));
}

}  // namespace
}  // namespace chainrule::pipeline::models::external
