// A decoder with weights as files store them against the same decoder with the arena that they decode to.
#include <gtest/gtest.h>

#include "model/decoder/decode_state.h"
#include "model/decoder/decoder.h"
#include "model/error.h"
#include "model/weights/weights.h"
#include "tests/model/decoder/decoder_case.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/encoded_values.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::weights::Encoding;
using model::weights::StoredMatrix;

/// Weights of a model whose matrices are encoded, each in two pieces, and the arena that they stand for.
struct Stored {
  Stored(const model::shape::Config& config, Encoding encoding) : arena(random_arena(config, 31)) {
    const model::shape::ParameterTable table(config);
    for (const model::shape::Parameter& each : table.parameters()) {
      const auto values = std::span(arena).subspan(each.offset, each.size());
      if (!each.in_products && each.name != "token_embedding.weight") {
        weights.put_vector(each.offset, {values.begin(), values.end()});
        continue;
      }
      bytes.push_back(
          std::make_unique<std::vector<std::byte>>(random_encoded(encoding, each.size(), 100 + bytes.size())));
      const std::vector<float> from = decoded(encoding, *bytes.back(), each.size());
      std::copy(from.begin(), from.end(), values.begin());
      const std::int64_t columns = each.shape[1];
      // An embedding is one piece: it is looked up by row.
      const std::int64_t cut = each.name == "token_embedding.weight" ? each.shape[0] : each.shape[0] / 3;
      std::vector<StoredMatrix> rows;
      for (const auto& [begin, end] : {std::pair{std::int64_t{0}, cut}, std::pair{cut, each.shape[0]}}) {
        if (begin == end) continue;
        rows.push_back({.encoding = encoding,
                        .rows = end - begin,
                        .columns = columns,
                        .data = bytes.back()->data() + model::weights::encoded_bytes(encoding, begin * columns)});
      }
      weights.put_matrix(each.offset, std::move(rows));
    }
  }

  std::vector<std::unique_ptr<std::vector<std::byte>>> bytes;
  std::vector<float> arena;
  model::weights::StoredWeights weights;
};

/// Widths are whole blocks.
model::shape::Config of_whole_blocks(model::shape::Config config) {
  config.heads = 4;
  config.key_value_heads = config.key_value_heads != 0 ? 2 : 0;
  config.head_width = 16;
  config.width = 64;
  config.feed_forward_width = 96;
  return config;
}

class StoredWeights
    : public testing::TestWithParam<std::tuple<std::pair<std::string, model::shape::Config>, Encoding>> {
 protected:
  model::shape::Config config_ = of_whole_blocks(std::get<0>(GetParam()).second);
  Stored stored_{config_, std::get<1>(GetParam())};
  std::unique_ptr<model::ops::Ops> ops_ = model::ops::make_fast_ops(model::products::Math::float32);
};

std::vector<std::pair<std::string, model::shape::Config>> families() {
  auto all = relatives();
  all.emplace_back("gpt2", small_config(2, 4, 37, 40));
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, StoredWeights,
                         testing::Combine(testing::ValuesIn(families()),
                                          testing::Values(Encoding::f32, Encoding::bf16, Encoding::q4_1)),
                         [](const auto& test) {
                           return std::get<0>(test.param).first + "_" +
                                  std::to_string(static_cast<int>(std::get<1>(test.param)));
                         });

TEST_P(StoredWeights, ScoreAsTheArenaThatTheyStandFor) {
  const OwnedBatch batch({random_text(config_, 40, 1), random_text(config_, 9, 2)}, 1);
  model::decoder::Decoder decoder(config_, {.maximum_rows = batch.view().rows()}, *ops_);
  std::vector<double> expected(batch.inputs.size());
  std::vector<double> actual(batch.inputs.size());
  decoder.score(stored_.arena, batch.view(), expected);
  decoder.score(stored_.weights, batch.view(), actual);
  for (std::size_t row = 0; row < actual.size(); ++row) ASSERT_NEAR(actual[row], expected[row], 2e-5) << row;
}

TEST_P(StoredWeights, StepAsTheArenaThatTheyStandFor) {
  const std::vector<std::uint32_t> prompt = random_ids(3, 7, 37);
  std::vector<float> of_arena;
  for (const bool stored : {false, true}) {
    model::decoder::DecodeState state(config_, {.slots = 1, .capacity = 40}, *ops_);
    const model::weights::Weights weights =
        stored ? model::weights::Weights(stored_.weights) : model::weights::Weights(stored_.arena);
    state.prefill(weights, std::vector<model::decoder::SlotPrompt>{{0, prompt}});
    for (const std::uint32_t token : random_ids(4, 5, 37)) {
      state.step(weights, std::vector<model::decoder::SlotToken>{{0, token}});
    }
    const std::span<const float> logits = state.logits(0);
    if (!stored) of_arena.assign(logits.begin(), logits.end());
    EXPECT_LT(relative_l2(logits, to_double(of_arena)), 5e-6);
  }
}

TEST_P(StoredWeights, ThatAreNotAllOfAModelAreRefused) {
  model::weights::StoredWeights some;
  some.put_vector(0, {1.0F});
  const OwnedBatch batch({random_text(config_, 4, 1)});
  model::decoder::Decoder decoder(config_, {.maximum_rows = 4}, *ops_);
  std::vector<double> nll(4);
  EXPECT_THROW(decoder.score(some, batch.view(), nll), model::Error);
}

}  // namespace
}  // namespace chainrule::tests
