#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "model/decoder/decoder.h"
#include "tests/model/decoder/decoder_case.h"
#include "tests/model/ops/ops_under_test.h"

namespace chainrule::tests {

/// Makes small configurations of one family of models.
struct Family {
  std::string name;
  model::shape::Config (*make)(std::int64_t layers, std::int64_t heads, std::int64_t vocabulary_size,
                               std::int64_t sequence_length);
};

inline void PrintTo(const Family& family, std::ostream* stream) { *stream << family.name; }

inline const Family kGpt2{"gpt2", small_config};
inline const Family kLlama{"llama", small_llama};

/// A decoder of random parameters, for what is promised whatever they are.
class DecoderPromises : public testing::TestWithParam<std::tuple<OpsUnderTest, Family>> {
 protected:
  std::vector<double> score(const std::vector<oracle::Text>& texts, std::int64_t padding_rows = 0) {
    return score(OwnedBatch(texts, padding_rows), arena_);
  }
  std::vector<double> score(const OwnedBatch& batch, std::span<const float> arena) {
    model::decoder::Decoder decoder(config_, {.maximum_rows = batch.view().rows()}, *ops_);
    std::vector<double> nll(batch.inputs.size(), -1.0);
    decoder.score(arena, batch.view(), nll);
    return nll;
  }
  std::unique_ptr<model::decoder::Decoder> training_decoder(
      std::int64_t rows, model::decoder::Recompute recompute = model::decoder::Recompute::none) {
    return std::make_unique<model::decoder::Decoder>(
        config_,
        model::decoder::DecoderOptions{
            .maximum_rows = rows, .purpose = model::decoder::Purpose::train, .recompute = recompute},
        *ops_);
  }
  /// Gradients of texts, added to `gradients` [arena].
  void train(const OwnedBatch& batch, std::vector<float>& gradients) {
    std::vector<double> nll(batch.inputs.size());
    training_decoder(batch.view().rows())->train(arena_, batch.view(), gradients, model::decoder::Accumulate::yes, nll);
  }

  /// The family under test in another size.
  model::shape::Config sized(std::int64_t layers, std::int64_t heads, std::int64_t vocabulary_size,
                             std::int64_t sequence_length) {
    return std::get<1>(GetParam()).make(layers, heads, vocabulary_size, sequence_length);
  }

  model::shape::Config config_ = sized(3, 2, 91, 70);
  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
  std::vector<float> arena_ = random_arena(config_, 11);
};

}  // namespace chainrule::tests
