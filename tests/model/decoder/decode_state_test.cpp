// Decoding token by token against the decoder's one causal pass.
#include "model/decoder/decode_state.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "model/arena.h"
#include "model/decoder/decoder.h"
#include "model/error.h"
#include "tests/model/decoder/decoder_case.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::decoder::SlotPrompt;
using model::decoder::SlotToken;
using Ids = std::vector<std::uint32_t>;

class DecodeState : public ::testing::Test {
 protected:
  DecodeState() {
    config_.layers = 2;
    config_.heads = 4;
    config_.width = 32;
    config_.feed_forward_width = 96;
    config_.vocabulary_size = 53;
    config_.sequence_length = 24;
    const model::shape::ParameterTable table(config_);
    parameters_ = normal_values(1, table.arena_size(), 0.25);
  }

  /// Logits [tokens, V] of one causal pass.
  std::vector<float> causal(const Ids& tokens) {
    class Keep final : public model::decoder::LogitsVisitor {
     public:
      explicit Keep(std::int64_t vocabulary) : vocabulary_(vocabulary) {}
      void visit(std::int64_t, std::int64_t rows, float* logits, std::int64_t stride) override {
        for (std::int64_t row = 0; row < rows; ++row) {
          all.insert(all.end(), logits + row * stride, logits + row * stride + vocabulary_);
        }
      }
      std::vector<float> all;

     private:
      std::int64_t vocabulary_;
    };
    const auto rows = static_cast<std::int64_t>(tokens.size());
    model::decoder::Decoder decoder(config_, {.maximum_rows = rows}, *ops_);
    const Ids targets(tokens.size(), model::ops::kNotScored);
    const std::vector<model::ops::Sequence> sequences = {{0, rows}};
    Keep keep(config_.vocabulary_size);
    decoder.visit_logits(parameters_, {tokens, targets, sequences}, keep);
    return keep.all;
  }

  /// Row i's logits equal those of the causal pass behind tokens.
  void expect_logits_behind(const model::decoder::DecodeState& state, std::int64_t row, const Ids& tokens) {
    const std::vector<float> all = causal(tokens);
    const auto v = static_cast<std::size_t>(config_.vocabulary_size);
    const std::vector<float> last(all.end() - static_cast<std::ptrdiff_t>(v), all.end());
    const std::span<const float> actual = state.logits(row);
    EXPECT_LT(relative_l2(actual, to_double(last)), 2e-6) << tokens.size() << " tokens";
  }

  model::shape::Config config_;
  std::vector<float> parameters_;
  std::unique_ptr<model::ops::Ops> ops_ = model::ops::make_fast_ops(model::products::Math::float32);
};

TEST_F(DecodeState, StepsOfARaggedBatchEqualTheCausalPass) {
  model::decoder::DecodeState state(config_, {.slots = 3, .capacity = 24}, *ops_);
  std::vector<Ids> texts = {random_ids(1, 5, 53), random_ids(2, 17, 53), random_ids(3, 1, 53)};
  // Prompts in another order than their slots.
  const std::vector<SlotPrompt> prompts = {{2, texts[2]}, {0, texts[0]}, {1, texts[1]}};
  state.prefill(parameters_, prompts);
  expect_logits_behind(state, 0, texts[2]);
  expect_logits_behind(state, 1, texts[0]);
  expect_logits_behind(state, 2, texts[1]);
  for (std::uint32_t step = 0; step < 7; ++step) {
    std::vector<SlotToken> tokens;
    for (std::int64_t slot = 2; slot >= 0; --slot) {
      if (slot == 0 && step >= 4) continue;  // a sequence that has ended
      const std::uint32_t token = (step * 11 + static_cast<std::uint32_t>(slot)) % 53;
      tokens.push_back({slot, token});
      texts[slot].push_back(token);
    }
    state.step(parameters_, tokens);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      expect_logits_behind(state, static_cast<std::int64_t>(i), texts[tokens[i].slot]);
      EXPECT_EQ(state.length(tokens[i].slot), static_cast<std::int64_t>(texts[tokens[i].slot].size()));
    }
  }
}

TEST_F(DecodeState, ACopiedSlotContinuesAsItsOriginal) {
  model::decoder::DecodeState state(config_, {.slots = 2, .capacity = 12}, *ops_);
  const Ids text = random_ids(4, 6, 53);
  const std::vector<SlotPrompt> prompt = {{0, text}};
  state.prefill(parameters_, prompt);
  state.copy(0, 1);
  const std::vector<SlotToken> tokens = {{0, 3}, {1, 4}};
  state.step(parameters_, tokens);
  Ids first = text;
  Ids second = text;
  first.push_back(3);
  second.push_back(4);
  expect_logits_behind(state, 0, first);
  expect_logits_behind(state, 1, second);
}

TEST_F(DecodeState, APromptReplacesWhatItsSlotHeld) {
  model::decoder::DecodeState state(config_, {.slots = 2, .capacity = 24}, *ops_);
  const Ids long_text = random_ids(5, 20, 53);
  const Ids other = random_ids(6, 9, 53);
  const Ids short_text = random_ids(7, 3, 53);
  const std::vector<SlotPrompt> both = {{0, long_text}, {1, other}};
  state.prefill(parameters_, both);
  const std::vector<SlotPrompt> again = {{0, short_text}};
  state.prefill(parameters_, again);
  const std::vector<SlotToken> tokens = {{0, 9}, {1, 8}};
  state.step(parameters_, tokens);
  Ids first = short_text;
  Ids second = other;
  first.push_back(9);
  second.push_back(8);
  expect_logits_behind(state, 0, first);
  expect_logits_behind(state, 1, second);
}

class DecodeStateOfRelatives : public DecodeState,
                               public ::testing::WithParamInterface<std::pair<std::string, model::shape::Config>> {
 protected:
  DecodeStateOfRelatives() {
    config_ = GetParam().second;
    parameters_ = normal_values(1, model::shape::ParameterTable(config_).arena_size(), 0.25);
  }
};

INSTANTIATE_TEST_SUITE_P(Relatives, DecodeStateOfRelatives, ::testing::ValuesIn(relatives()),
                         [](const auto& test) { return test.param.first; });

TEST_P(DecodeStateOfRelatives, StepsEqualTheCausalPass) {
  model::decoder::DecodeState state(config_, {.slots = 2, .capacity = 40}, *ops_);
  std::vector<Ids> texts = {random_ids(1, 3, 37), random_ids(2, 17, 37)};
  state.prefill(parameters_, std::vector<SlotPrompt>{{0, texts[0]}, {1, texts[1]}});
  expect_logits_behind(state, 0, texts[0]);
  expect_logits_behind(state, 1, texts[1]);
  for (const std::uint32_t next : random_ids(3, 20, 37)) {
    for (Ids& text : texts) text.push_back(next);
    state.step(parameters_, std::vector<SlotToken>{{0, next}, {1, next}});
    expect_logits_behind(state, 0, texts[0]);
    expect_logits_behind(state, 1, texts[1]);
  }
}

TEST_F(DecodeState, FrequenciesByLengthAreThoseOfTheSequenceSoFar) {
  config_ = small_llama(1, 2, 53, 32);
  config_.rotary.scaling = {.kind = model::shape::RotaryScaling::Kind::dynamic, .factor = 4, .original_length = 8};
  parameters_ = normal_values(1, model::shape::ParameterTable(config_).arena_size(), 0.25);
  const Ids text = random_ids(4, 20, 53);
  // A prompt beyond the original length is turned by its own length, as a whole.
  model::decoder::DecodeState state(config_, {.slots = 1, .capacity = 32}, *ops_);
  state.prefill(parameters_, std::vector<SlotPrompt>{{0, text}});
  expect_logits_behind(state, 0, text);
  const Ids within(text.begin(), text.begin() + 8);
  model::shape::Config plain = config_;
  plain.rotary.scaling = {};
  const std::vector<float> scaled = causal(within);
  std::swap(config_, plain);
  EXPECT_EQ(causal(within), scaled);
  std::swap(config_, plain);
  const std::vector<float> longer = causal(text);
  std::swap(config_, plain);
  EXPECT_NE(causal(text), longer);
}

TEST_F(DecodeState, RefusesWhatDoesNotFit) {
  model::decoder::DecodeState state(config_, {.slots = 1, .capacity = 4}, *ops_);
  const Ids five(5, 1);
  const Ids four(4, 1);
  const Ids outside = {53};
  const std::vector<SlotPrompt> too_long = {{0, five}};
  const std::vector<SlotPrompt> unknown = {{0, outside}};
  const std::vector<SlotPrompt> fitting = {{0, four}};
  const std::vector<SlotToken> one = {{0, 1}};
  EXPECT_THROW(state.prefill(parameters_, too_long), model::Error);
  EXPECT_THROW(state.prefill(parameters_, unknown), model::Error);
  state.prefill(parameters_, fitting);
  EXPECT_THROW(state.step(parameters_, one), model::Error);
  EXPECT_THROW(model::decoder::DecodeState(config_, {.slots = 1, .capacity = 25}, *ops_), model::Error);
}

TEST_F(DecodeState, WeightBytesOfGpt2) {
  model::shape::Config config = *model::shape::preset("gpt2-124m");
  config.vocabulary_size = 50'257;
  EXPECT_EQ(model::decoder::decode_weight_bytes(config), 4 * (124'439'808 - 1024 * 768));
}

}  // namespace
}  // namespace chainrule::tests
