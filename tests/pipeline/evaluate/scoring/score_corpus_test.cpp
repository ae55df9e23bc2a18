// Scoring on any number of ranks, with a made-up model: the result is that of one loop over the tokens.
#include "pipeline/evaluate/scoring/score_corpus.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "io/error.h"
#include "io/tokens/memory_stream.h"
#include "pipeline/evaluate/report/evaluation_report.h"
#include "tests/support/scored_corpus.h"

namespace chainrule::pipeline::evaluate::scoring {
namespace {

using tests::world;

constexpr std::uint32_t kEndOfText = 99;

/// A stream of ragged documents, empty ones and single tokens included, in two domains.
struct Corpus : io::tokens::MemoryStream {
  std::vector<io::tokens::DocumentRecord> documents;  // those of the stream
  std::vector<std::uint32_t> stream;                  // what is read, which a test may alter

  explicit Corpus(const std::vector<std::uint64_t>& text_tokens, std::uint32_t start_token = kEndOfText)
      : MemoryStream({100, kEndOfText, start_token}, {"one", "two"}) {
    for (std::size_t i = 0; i < text_tokens.size(); ++i) {
      const std::uint64_t first = token_count();
      std::vector<std::uint32_t> tokens;
      for (std::uint64_t k = 0; k < text_tokens[i]; ++k) {
        tokens.push_back(static_cast<std::uint32_t>((first + k * k) % 90));
      }
      append(
          tokens,
          {.bytes = 3 * text_tokens[i], .words = 1 + text_tokens[i] / 2, .domain = static_cast<std::uint16_t>(i % 2)});
    }
    documents = MemoryStream::documents();
    stream.resize(token_count());
    MemoryStream::read(0, stream);
  }

  tests::ScoredCorpus scored(const windows::WorkUnitOptions& options, const ScoreBatch& model) const {
    return tests::score_and_replay(options, *this, documents, start_token(), model);
  }

  void read(std::uint64_t first, std::span<std::uint32_t> tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = stream.at(first + i);
  }
};

/// The nats that the made-up model gives a target after an input; infinite after `poison`.
double nats_of(std::uint32_t input, std::uint32_t target, std::uint32_t poison) {
  if (input == poison) return std::numeric_limits<double>::infinity();
  return 0.1 + std::abs(std::sin(static_cast<double>(input) * 7 + static_cast<double>(target)));
}

constexpr std::uint32_t kNoPoison = 1000;

ScoreBatch made_up_model(std::uint32_t poison = kNoPoison) {
  return [poison](const model::ops::Batch& batch, const model::ops::PredictionScores& scores) {
    const std::span<double> nll = scores.nll;
    ASSERT_EQ(batch.rows() % windows::kUnitRowsMultiple, 0);
    for (std::size_t i = 0; i < nll.size(); ++i) {
      nll[i] = batch.targets[i] == model::ops::kNotScored ? 0.0 : nats_of(batch.inputs[i], batch.targets[i], poison);
    }
  };
}

/// One loop over the stream: every token after the one before it.
std::vector<tally::TokenTally> scored_by_one_loop(const Corpus& corpus, const windows::protocol::Protocol* protocol,
                                                  std::uint32_t poison = kNoPoison) {
  std::vector<tally::TokenTally> scores(corpus.documents.size());
  std::uint32_t input = corpus.start_token();
  for (std::size_t d = 0; d < corpus.documents.size(); ++d) {
    const auto& document = corpus.documents[d];
    if (protocol == &windows::protocol::kDocument) input = corpus.start_token();
    for (std::uint64_t i = 0; i < document.tokens; ++i) {
      const std::uint32_t target = corpus.stream[document.first_token + i];
      const bool last = i + 1 == document.tokens;
      if (!last || protocol == &windows::protocol::kPacked) {
        tally::ScoredToken token;
        token.ends_document = last;
        token.nats = nats_of(input, target, poison);
        token.nll.add(token.nats);
        scores[d].add(token);
      }
      input = target;
    }
  }
  return scores;
}

const std::vector<std::uint64_t> kRagged = {0, 1, 300, 2, 0, 0, 64, 65, 63, 900, 5, 5, 5, 128, 1};

class ScoreCorpusBehind : public testing::TestWithParam<std::uint32_t> {};

TEST_P(ScoreCorpusBehind, EqualsOneLoopOverTheTokens) {
  const Corpus corpus(kRagged, GetParam());
  for (const windows::protocol::Protocol* protocol : {&windows::protocol::kDocument, &windows::protocol::kPacked}) {
    for (const std::int64_t length : {1, 16, 64}) {
      const std::int64_t stride = protocol == &windows::protocol::kPacked ? length : (length + 1) / 2;
      const auto scored = corpus.scored({{protocol, length, stride}, 3}, made_up_model());
      if (world().rank() != 0) continue;
      EXPECT_EQ(scored.documents(corpus.documents.size()), scored_by_one_loop(corpus, protocol))
          << protocol->name << " " << length;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(StartTokens, ScoreCorpusBehind, testing::Values(kEndOfText, 98U));

/// Real products round differently with a batch's rows and a row's place in it. This model does so grossly: cutting
/// units by rank, or scoring one in another shape, shows on every machine.
TEST(ScoreCorpus, AUnitHasTheSameShapeWhereverItIsScored) {
  const Corpus corpus(kRagged);
  const ScoreBatch model = [](const model::ops::Batch& batch, const model::ops::PredictionScores& scores) {
    const std::span<double> nll = scores.nll;
    for (std::size_t i = 0; i < nll.size(); ++i) {
      if (batch.targets[i] == model::ops::kNotScored) continue;
      nll[i] = static_cast<double>(batch.rows()) + 1e-3 * static_cast<double>(i) + 1e-7 * batch.inputs[i];
    }
  };
  const windows::WorkUnitOptions options{{&windows::protocol::kDocument, 48, 20}, 4};
  const auto scored = corpus.scored(options, model);
  const auto alone = tests::score_alone(options, corpus, corpus.documents, corpus.start_token(), model);
  ASSERT_GT(alone.size(), 7U);
  if (world().rank() != 0) return;
  std::size_t at = 0;
  for (const journal::UnitResult& unit : alone) {
    for (const double nats : unit.nll) EXPECT_EQ(scored.tokens.at(at++).nats, nats);
  }
  EXPECT_EQ(at, scored.tokens.size());
}

/// Stopped again and again, wherever that is, and gone on with: nothing is counted twice, nothing is left out.
TEST(ScoreCorpus, StopsAndGoesOn) {
  const Corpus corpus(kRagged);
  const windows::WorkUnitOptions options{{&windows::protocol::kDocument, 48, 20}, 1};
  const auto run = [&](const std::function<bool()>& stop, bool keep) {
    return tests::score_and_replay(options, corpus, corpus.documents, corpus.start_token(), made_up_model(), stop,
                                   keep);
  };
  const tests::ScoredCorpus whole = run([] { return false; }, false);
  std::uint64_t found = 0;
  for (int time = 0;; ++time) {
    ASSERT_LT(time, 1000);
    // Another rank each time, before its second look.
    int looks = 0;
    const int stops = time % world().size();
    const auto stop = [&] { return world().rank() == stops && ++looks > 1; };
    const tests::ScoredCorpus part = run(stop, time > 0);
    EXPECT_GE(part.work.found_units, found);
    found = part.work.found_units;
    if (part.work.stopped) continue;
    EXPECT_GT(time, 1);
    if (world().rank() != 0) break;
    ASSERT_EQ(part.tokens.size(), whole.tokens.size());
    for (std::size_t i = 0; i < part.tokens.size(); ++i) {
      EXPECT_EQ(part.tokens[i].nats, whole.tokens[i].nats);
      EXPECT_EQ(part.tokens[i].position, whole.tokens[i].position);
    }
    break;
  }
}

/// What sinks are told of each token, against the stream itself.
TEST(ScoreCorpus, ATokenComesWithItsPlaceAndItsContext) {
  const Corpus corpus({3, 0, 9}, 98);
  using Numbers = std::vector<std::uint64_t>;
  struct Expected {
    windows::protocol::ScoringOptions options;
    Numbers positions;
    Numbers contexts;
  };
  const Expected cases[] = {
      {{&windows::protocol::kDocument, 4, 2},
       {0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13},
       {1, 2, 3, 1, 2, 3, 4, 3, 4, 3, 4, 4}},
      {{&windows::protocol::kPacked, 4, 4},
       {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14},
       {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3}},
  };
  for (const auto& [options, positions, contexts] : cases) {
    const std::vector<tally::ScoredToken> tokens = corpus.scored({options, 2}, made_up_model(corpus.stream[6])).tokens;
    if (world().rank() != 0) continue;
    ASSERT_EQ(tokens.size(), positions.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const tally::ScoredToken& token = tokens[i];
      const std::uint64_t document = positions[i] < 4 ? 0 : positions[i] == 4 ? 1 : 2;
      EXPECT_EQ(token.position, positions[i]);
      EXPECT_EQ(token.context, static_cast<std::int64_t>(contexts[i])) << positions[i];
      EXPECT_EQ(token.token, corpus.stream[positions[i]]);
      EXPECT_EQ(token.document, document);
      EXPECT_EQ(token.domain, document % 2);
      EXPECT_EQ(token.ends_document, token.token == kEndOfText);
      EXPECT_EQ(token.nll.nonfinite(), positions[i] == 7 ? 1U : 0U);
      EXPECT_EQ(token.nll.count(), positions[i] == 7 ? 0U : 1U);
    }
  }
}

TEST(ScoreCorpus, MoreRanksThanUnits) {
  const Corpus corpus({3});
  const auto scored = corpus.scored({{&windows::protocol::kDocument, 8, 4}, 1}, made_up_model());
  EXPECT_EQ(scored.work.units, 1U);
  EXPECT_EQ(scored.work.padding_rows, 61U);
  if (world().rank() == 0) {
    EXPECT_EQ(scored.documents(1), scored_by_one_loop(corpus, &windows::protocol::kDocument));
  }
}

TEST(ScoreCorpus, NonFiniteResultsAreCountedApart) {
  const Corpus corpus(kRagged);
  const std::uint32_t poison = corpus.stream[corpus.documents[2].first_token];
  const auto scored = corpus.scored({{&windows::protocol::kDocument, 64, 32}, 1}, made_up_model(poison));
  if (world().rank() != 0) return;
  const std::vector<tally::TokenTally> tallies = scored.documents(corpus.documents.size());
  EXPECT_GT(tallies[2].text.nonfinite(), 0U);
  EXPECT_EQ(tallies, scored_by_one_loop(corpus, &windows::protocol::kDocument, poison));
}

TEST(ScoreCorpus, RefusesADocumentThatDoesNotEndInEndOfText) {
  Corpus corpus({3, 4});
  corpus.stream[3] = 5;
  for (const windows::protocol::Protocol* protocol : {&windows::protocol::kDocument, &windows::protocol::kPacked}) {
    EXPECT_THROW(
        tests::score_alone({{protocol, 8, 8}, 2}, corpus, corpus.documents, corpus.start_token(), made_up_model()),
        io::Error);
  }
}

/// The negative control of the invariance: the same scores by a mean of the ranks' means, as a careless reduction
/// would have it, do not give the same cross-entropy.
TEST(ScoreCorpus, AMeanOfRankMeansIsAnotherNumber) {
  const Corpus corpus(kRagged);
  const windows::WorkUnitOptions options{{&windows::protocol::kDocument, 64, 32}, 1};
  std::vector<comm::ExactSum> sums(7);
  comm::ExactSum all;
  for (const journal::UnitResult& unit :
       tests::score_alone(options, corpus, corpus.documents, corpus.start_token(), made_up_model())) {
    for (const double nats : unit.nll) {
      sums[static_cast<std::size_t>(windows::rank_of_unit(unit.unit, 7))].add(nats);
      all.add(nats);
    }
  }
  double mean_of_means = 0;
  for (const auto& sum : sums) mean_of_means += sum.nats() / static_cast<double>(sum.count()) / 7;
  EXPECT_GT(std::abs(mean_of_means - all.nats() / static_cast<double>(all.count())), 1e-6);
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::scoring
