// Work units scored by the fast decoder against every token scored alone by the plain one.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "io/tokens/memory_stream.h"
#include "model/arena.h"
#include "model/decoder/decoder.h"
#include "model/ops/ops.h"
#include "model/shape/initialise.h"
#include "model/shape/parameters.h"
#include "tests/support/scored_corpus.h"

namespace chainrule::pipeline::evaluate::scoring {
namespace {

using tests::world;

constexpr std::int64_t kContext = 24;
constexpr std::uint32_t kVocabulary = 61;
constexpr std::uint32_t kEndOfText = 60;

model::shape::Config tiny_config() {
  model::shape::Config config;
  config.layers = 2;
  config.heads = 2;
  config.width = 16;
  config.feed_forward_width = 64;
  config.vocabulary_size = kVocabulary;
  config.sequence_length = kContext;
  return config;
}

class EvaluateDecoder : public testing::Test {
 protected:
  EvaluateDecoder()
      : table_(tiny_config()),
        parameters_(table_.arena_size()),
        plain_ops_(model::ops::make_reference_ops()),
        fast_ops_(model::ops::make_fast_ops(model::products::Math::float32)),
        plain_(tiny_config(), {kContext, model::decoder::Purpose::evaluate}, *plain_ops_),
        fast_(tiny_config(), {kContext * 4 + windows::kUnitRowsMultiple, model::decoder::Purpose::evaluate},
              *fast_ops_) {
    model::shape::initialise(tiny_config(), table_, 5, parameters_.span());
    // Larger weights than a fresh model's, so that contexts matter.
    for (float& value : parameters_.span()) value *= 5;
    std::mt19937 random(11);
    for (const std::uint64_t tokens : {7, 0, 1, 24, 25, 70, 3, 12, 23}) {
      std::vector<std::uint32_t> document(tokens);
      for (auto& token : document) token = static_cast<std::uint32_t>(random() % kEndOfText);
      memory_.append(document, {.bytes = tokens, .words = 1});
    }
    documents_ = memory_.documents();
    stream_.resize(memory_.token_count());
    memory_.read(0, stream_);
  }

  ScoreBatch score() {
    return [this](const model::ops::Batch& batch, const model::ops::PredictionScores& scores) {
      fast_.score(parameters_.span(), batch, scores);
    };
  }
  tests::ScoredCorpus scored(const windows::WorkUnitOptions& options) {
    return tests::score_and_replay(options, memory_, documents_, memory_.start_token(), score());
  }

  /// -log p(stream[target] | end-of-text or token before `begin`, stream[begin] ... stream[target - 1]).
  double alone(std::uint64_t begin, std::uint64_t target) {
    std::vector<std::uint32_t> inputs;
    inputs.push_back(begin == 0 ? kEndOfText : stream_[begin - 1]);
    for (std::uint64_t i = begin; i < target; ++i) inputs.push_back(stream_[i]);
    std::vector<std::uint32_t> targets(inputs.size(), model::ops::kNotScored);
    targets.back() = stream_[target];
    const std::vector<model::ops::Sequence> sequences = {{0, static_cast<std::int64_t>(inputs.size())}};
    std::vector<double> nll(inputs.size());
    plain_.score(parameters_.span(), {inputs, targets, sequences}, nll);
    return nll.back();
  }

  model::shape::ParameterTable table_;
  model::Arena parameters_;
  std::unique_ptr<model::ops::Ops> plain_ops_;
  std::unique_ptr<model::ops::Ops> fast_ops_;
  model::decoder::Decoder plain_;
  model::decoder::Decoder fast_;
  io::tokens::MemoryStream memory_{{kVocabulary, kEndOfText, kEndOfText}};
  std::vector<io::tokens::DocumentRecord> documents_;
  std::vector<std::uint32_t> stream_;
};

TEST_F(EvaluateDecoder, DocumentProtocolEqualsEachTokenScoredAlone) {
  constexpr std::uint64_t kStride = 10;
  const std::vector<tally::TokenTally> scores =
      scored({{&windows::protocol::kDocument, kContext, kStride}, 3}).documents(documents_.size());
  if (world().rank() != 0) return;
  for (std::size_t d = 0; d < documents_.size(); ++d) {
    const std::uint64_t tokens = documents_[d].tokens - 1;
    double expected = 0;
    for (std::uint64_t i = 0; i < tokens; ++i) {
      std::uint64_t begin = 0;
      if (i >= kContext) {  // the first window that reaches i, right-aligned at the document's end
        const std::uint64_t advances = (i + 1 - kContext + kStride - 1) / kStride;
        begin = std::min<std::uint64_t>(kContext + advances * kStride, tokens) - kContext;
      }
      expected += alone(documents_[d].first_token + begin, documents_[d].first_token + i);
    }
    EXPECT_EQ(scores[d].text.count(), tokens);
    EXPECT_NEAR(scores[d].text.nats(), expected, 1e-5 * std::max(1.0, expected)) << "document " << d;
  }
}

TEST_F(EvaluateDecoder, PackedProtocolEqualsEachTokenScoredAlone) {
  const std::vector<tally::TokenTally> scores =
      scored({{&windows::protocol::kPacked, kContext, kContext}, 2}).documents(documents_.size());
  if (world().rank() != 0) return;
  for (std::size_t d = 0; d < documents_.size(); ++d) {
    const io::tokens::DocumentRecord& document = documents_[d];
    double expected = 0;
    for (std::uint64_t i = document.first_token; i < document.first_token + document.tokens; ++i) {
      expected += alone(i / kContext * kContext, i);
    }
    EXPECT_EQ(scores[d].all().count(), document.tokens);
    EXPECT_NEAR(scores[d].all().nats(), expected, 1e-5 * std::max(1.0, expected)) << "document " << d;
  }
}

TEST_F(EvaluateDecoder, AnyNumberOfRanksGivesTheBitsOfOne) {
  const windows::WorkUnitOptions options{{&windows::protocol::kDocument, kContext, 7}, 2};
  const tests::ScoredCorpus together = scored(options);
  const auto alone = tests::score_alone(options, memory_, documents_, memory_.start_token(), score());
  ASSERT_GT(alone.size(), 3U);
  if (world().rank() != 0) return;
  std::size_t at = 0;
  for (const journal::UnitResult& unit : alone) {
    for (std::size_t i = 0; i < unit.tokens(); ++i, ++at) {
      const tally::ScoredToken& token = together.tokens.at(at);
      EXPECT_EQ(token.nats, unit.nll[i]);
      EXPECT_EQ(token.entropy_nats, unit.entropy[i]);
      EXPECT_EQ(token.top_probability, unit.top_probability[i]);
      EXPECT_EQ(token.likelier, unit.rank[i]);
    }
  }
  EXPECT_EQ(at, together.tokens.size());
}

TEST_F(EvaluateDecoder, WeightsThatAreNotNumbersGiveNoFiniteResult) {
  for (float& value : parameters_.span()) value = std::numeric_limits<float>::quiet_NaN();
  const tests::ScoredCorpus broken = scored({{&windows::protocol::kDocument, kContext, 12}, 2});
  if (world().rank() != 0) return;
  EXPECT_EQ(broken.tokens.size(),
            windows::protocol::tokens_to_score({&windows::protocol::kDocument, kContext, 12}, documents_));
  for (const tally::ScoredToken& token : broken.tokens) EXPECT_EQ(token.nll.nonfinite(), 1U);
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::scoring
