// Equal bits whenever the same work is done again with the same number of threads.
#include <gtest/gtest.h>
#include <omp.h>

#include "model/decoder/decoder.h"
#include "tests/model/decoder/decoder_case.h"
#include "tests/model/ops/ops_under_test.h"

namespace chainrule::tests {
namespace {

struct Result {
  std::vector<float> gradients;
  std::vector<double> nll;
  bool operator==(const Result&) const = default;
};

class DecoderThreads : public testing::TestWithParam<std::tuple<OpsUnderTest, int>> {
 protected:
  void SetUp() override { omp_set_num_threads(std::get<1>(GetParam())); }

  Result train(model::decoder::Decoder& decoder, const OwnedBatch& batch) {
    Result result{std::vector<float>(arena_.size(), 0.0F), std::vector<double>(batch.inputs.size())};
    decoder.train(arena_, batch.view(), result.gradients, model::decoder::Accumulate::yes, result.nll);
    return result;
  }

  model::shape::Config config_ = small_config(3, 3, 203, 130);
  std::vector<float> arena_ = random_arena(config_, 11);
};

INSTANTIATE_TEST_SUITE_P(Threads, DecoderThreads,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps), testing::Values(1, 2, 3, 4)),
                         CaseName());

TEST_P(DecoderThreads, TrainingRepeatsToTheBit) {
  const OwnedBatch batch({random_text(config_, 130, 12), random_text(config_, 31, 13), random_text(config_, 66, 14)},
                         1);
  const OwnedBatch other({random_text(config_, 9, 15)});
  const model::decoder::DecoderOptions options{.maximum_rows = batch.view().rows(),
                                               .purpose = model::decoder::Purpose::train};
  const auto ops = std::get<0>(GetParam()).make();
  model::decoder::Decoder decoder(config_, options, *ops);
  const Result first = train(decoder, batch);
  train(decoder, other);  // what was done in between leaves no trace
  EXPECT_TRUE(train(decoder, batch) == first) << "the same decoder again";
  const auto fresh_ops = std::get<0>(GetParam()).make();
  model::decoder::Decoder fresh(config_, options, *fresh_ops);
  EXPECT_TRUE(train(fresh, batch) == first) << "a fresh decoder";
  for (const auto recompute : {model::decoder::Recompute::attention, model::decoder::Recompute::full}) {
    model::decoder::Decoder recomputing(
        config_,
        {.maximum_rows = batch.view().rows(), .purpose = model::decoder::Purpose::train, .recompute = recompute}, *ops);
    EXPECT_TRUE(train(recomputing, batch) == first) << "recompute " << name_of(recompute);
  }
}

}  // namespace
}  // namespace chainrule::tests
