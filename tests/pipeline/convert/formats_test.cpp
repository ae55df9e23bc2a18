// What other systems are told of a model's shape: read back it is the same, and what cannot be said is refused.
#include "pipeline/convert/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/files/temporary_folder.h"
#include "io/tokenizer/trainer.h"
#include "pipeline/models/external/hugging_face_config.h"

namespace chainrule::pipeline::convert {
namespace {

using model::shape::Biases;
using model::shape::Config;
using testing::HasSubstr;
using Kind = model::shape::RotaryScaling::Kind;

Config gpt2() {
  Config config;
  config.layers = 2;
  config.heads = 4;
  config.width = 64;
  config.feed_forward_width = 100;
  config.vocabulary_size = 300;
  config.sequence_length = 128;
  return config;
}

Config llama() {
  Config config = gpt2();
  config.key_value_heads = 2;
  config.head_width = 24;
  config.normalization = model::shape::Normalization::rms_norm;
  config.normalization_epsilon = 3e-6F;
  config.position_encoding = model::shape::PositionEncoding::rotary;
  config.activation = model::shape::Activation::swiglu;
  config.biases = Biases::none;
  config.tied_head = false;
  config.rotary.theta = 12'345.678;
  return config;
}

nlohmann::json json_of(const Config& config) {
  io::tokenizer::TokenizerTrainer trainer;
  trainer.add("a few words");
  static const io::tokenizer::Tokenizer tokenizer = trainer.train(257, [](std::uint32_t) {});
  return io::files::parse_json(
      io::files::json_text(hugging_face_config(config, tokenizer, io::tensors::Encoding::f32)));
}

void expect_there_and_back(const Config& config, const std::string& type) {
  const nlohmann::json json = json_of(config);
  EXPECT_EQ(json["model_type"], type);
  EXPECT_TRUE(compute_the_same(models::external::read_hugging_face_config(json, "it"), config)) << json;
}

template <class Work>
std::string refusal(const Work& work) {
  try {
    work();
  } catch (const io::Error& error) {
    EXPECT_EQ(error.kind(), io::ErrorKind::bad_data);
    return error.what();
  }
  return "not refused";
}

TEST(HuggingFaceFormat, EveryFamilyIsReadBackTheSame) {
  expect_there_and_back(gpt2(), "gpt2");
  expect_there_and_back(llama(), "llama");
  Config config = llama();
  config.tied_head = true;
  config.key_value_heads = config.head_width = 0;
  config.zero_residuals = true;
  expect_there_and_back(config, "llama");
  config.attention_window = 7;
  expect_there_and_back(config, "mistral");
  for (const std::int64_t window : {0, 7}) {
    config = llama();
    config.attention_window = window;
    config.query_key_norm = true;
    expect_there_and_back(config, "qwen3");
    config.query_key_norm = false;
    config.biases = Biases::query_key_value;
    expect_there_and_back(config, "qwen2");
  }
}

TEST(HuggingFaceFormat, EveryScalingIsReadBackTheSame) {
  for (const Kind kind : {Kind::linear, Kind::dynamic, Kind::llama3, Kind::yarn}) {
    Config config = llama();
    config.rotary.scaling.kind = kind;
    config.rotary.scaling.factor = 2;
    config.rotary.scaling.original_length = kind == Kind::linear ? 0 : 64;
    if (kind == Kind::llama3) config.rotary.scaling.high_frequency_factor = 5.5;
    if (kind == Kind::yarn) {
      config.rotary.scaling.beta_fast = 30.5;
      config.rotary.scaling.beta_slow = 1.25;
      config.rotary.scaling.truncate = false;
      config.rotary.scaling.attention_factor = 1.5;
    }
    expect_there_and_back(config, "llama");
    config.sequence_length = 100;  // of one that follows the length, only the factor says how long it is
    if (kind == Kind::dynamic) {
      EXPECT_THAT(refusal([&] { json_of(config); }), HasSubstr("sequence_length of 100"));
    } else {
      expect_there_and_back(config, "llama");
    }
  }
}

TEST(HuggingFaceFormat, YarnNamesTheOriginalLengthOnlyWhereItIsAnother) {
  Config config = llama();
  config.rotary.scaling = {.kind = Kind::yarn, .factor = 2, .original_length = 64};
  EXPECT_EQ(json_of(config)["rope_scaling"]["original_max_position_embeddings"], 64);
  config.sequence_length = 64;
  EXPECT_FALSE(json_of(config)["rope_scaling"].contains("original_max_position_embeddings"));
  expect_there_and_back(config, "llama");
}

/// A tokenizer of a few tokens, and what its folder says besides.
io::tokenizer::Tokenizer named(const nlohmann::json& said) {
  io::tokenizer::TokenizerTrainer trainer;
  trainer.add("a few words");
  const io::files::TemporaryFolder folder;
  trainer.train(257, [](std::uint32_t) {}).save(folder.path() / "tokenizer.json");
  io::files::write_file_atomically(folder.path() / "tokenizer_config.json", said.dump());
  return io::tokenizer::Tokenizer::load(folder.path());
}

// As transformers and others end an instruct model's turns, and begin its texts.
TEST(HuggingFaceFormat, TheTokensThatTheModelCameWithAreWritten) {
  for (const nlohmann::json& said :
       {nlohmann::json{{"bos_token", "a"}, {"eos_token", "b"}}, nlohmann::json{{"eos_token", "b"}},
        nlohmann::json{{"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}}}) {
    const io::tokenizer::Tokenizer tokenizer = named(said);
    const auto written = hugging_face_tokenizer_config(gpt2(), tokenizer);
    const auto config = hugging_face_config(gpt2(), tokenizer, io::tensors::Encoding::f32);
    for (const char* key : {"bos_token", "eos_token"}) {
      ASSERT_EQ(written.contains(key), said.contains(key)) << said << key;
      ASSERT_EQ(config.contains(std::string(key) + "_id"), said.contains(key));
      if (!said.contains(key)) continue;
      EXPECT_EQ(written[key].get<std::string>(), said[key].get<std::string>());
      EXPECT_EQ(tokenizer.token_spelling(config[std::string(key) + "_id"]), said[key].get<std::string>());
    }
    EXPECT_EQ(named(io::files::parse_json(io::files::json_text(written))).start_token(), tokenizer.start_token());
  }
  const auto written = hugging_face_tokenizer_config(gpt2(), named(nlohmann::json::object()));
  EXPECT_EQ(written["bos_token"], "<|endoftext|>");
  EXPECT_EQ(written["eos_token"], "<|endoftext|>");
}

TEST(HuggingFaceFormat, WhatNoClassHasIsRefusedByItsName) {
  const auto refused = [](Config config, const auto& change) {
    change(config);
    return refusal([&] { json_of(config); });
  };
  for (const Config& config : {gpt2(), llama()}) {
    EXPECT_THAT(refused(config, [](Config& c) { c.logit_soft_cap = 30; }), HasSubstr("logit_soft_cap of 30"));
    EXPECT_THAT(refused(config, [](Config& c) { c.activation = model::shape::Activation::relu_squared; }),
                HasSubstr("activation of \"relu_squared\""));
  }
  const auto factors = [](Config& c) { c.rotary.scaling = {.kind = Kind::factors, .factors = {1, 2}}; };
  EXPECT_THAT(refused(llama(), factors), HasSubstr("rotary scaling of factors"));
  EXPECT_THAT(refused(gpt2(), [](Config& c) { c.query_key_norm = true; }), HasSubstr("query_key_norm"));
  EXPECT_THAT(refused(gpt2(), [](Config& c) { c.attention_window = 9; }), HasSubstr("attention_window of 9"));
  EXPECT_THAT(refused(gpt2(), [](Config& c) { c.key_value_heads = 2; }), HasSubstr("key_value_heads of 2"));
  EXPECT_THAT(refused(gpt2(), [](Config& c) { c.head_width = 20; }), HasSubstr("head_width of 20"));
  EXPECT_THAT(refused(gpt2(), [](Config& c) { c.tied_head = false; }), HasSubstr("tied_head"));
  EXPECT_THAT(refused(gpt2(), [](Config& c) { c.biases = Biases::none; }), HasSubstr("biases"));
  EXPECT_THAT(refused(llama(), [](Config& c) { c.biases = Biases::all; }), HasSubstr("biases"));
  EXPECT_THAT(refused(llama(),
                      [](Config& c) {
                        c.biases = Biases::query_key_value;
                        c.query_key_norm = true;
                      }),
              HasSubstr("biases"));
  EXPECT_THAT(refused(llama(), [](Config& c) { c.normalization = model::shape::Normalization::layer_norm; }),
              HasSubstr("normalization"));
}

TEST(LlmcFormat, SaysGpt2Alone) {
  Config config = gpt2();
  EXPECT_THAT(refusal([&] { llmc_header(config, io::tensors::Encoding::f32); }),
              HasSubstr("feed_forward_width of 100"));
  config.feed_forward_width = 256;
  const io::tensors::llmc::Header header = llmc_header(config, io::tensors::Encoding::bf16);
  EXPECT_EQ(header, (io::tensors::llmc::Header{128, 300, 2, 4, 64, 0, io::tensors::Encoding::bf16}));
  config.normalization_epsilon = 1e-6F;
  EXPECT_THAT(refusal([&] { llmc_header(config, io::tensors::Encoding::f32); }), HasSubstr("normalization_epsilon"));
  EXPECT_THAT(refusal([&] { llmc_header(llama(), io::tensors::Encoding::f32); }), HasSubstr("normalization of"));
}

TEST(ComputeTheSame, SeesEveryOtherDifference) {
  Config other = llama();
  EXPECT_TRUE(compute_the_same(llama(), other));
  other.rotary.theta += 1;
  EXPECT_FALSE(compute_the_same(llama(), other));
  other = llama();
  other.normalization_epsilon = 1e-5F;
  EXPECT_FALSE(compute_the_same(llama(), other));
  other = llama();
  other.attention_window = 3;
  EXPECT_FALSE(compute_the_same(llama(), other));
}

}  // namespace
}  // namespace chainrule::pipeline::convert
