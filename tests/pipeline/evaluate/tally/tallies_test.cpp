// What is summed up of scored tokens, against sums over all of them.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "io/files/temporary_folder.h"
#include "pipeline/evaluate/tally/evaluation_tallies.h"

namespace chainrule::pipeline::evaluate::tally {
namespace {

ScoredToken token_of(std::uint64_t document, double nats) {
  ScoredToken token;
  token.document = document;
  token.nats = nats;
  token.nll.add(nats);
  return token;
}

TEST(TokenTally, AddsUpWhatATokenSays) {
  TokenTally tally;
  ScoredToken token = token_of(0, 1.5);
  token.entropy_nats = 2;
  tally.add(token);
  token.likelier = 4;
  token.ends_document = true;
  tally.add(token);
  token.likelier = 5;
  tally.add(token);
  tally.add(token_of(0, std::numeric_limits<double>::infinity()));
  EXPECT_EQ(tally.text.count(), 1U);
  EXPECT_EQ(tally.text.nonfinite(), 1U);
  EXPECT_EQ(tally.end_of_text.nats(), 3.0);
  EXPECT_EQ(tally.all().nats(), 4.5);
  EXPECT_EQ(tally.squares.nats(), 3 * 2.25);
  EXPECT_EQ(tally.entropy.nats(), 6.0);
  EXPECT_EQ(tally.top1, 1U);
  EXPECT_EQ(tally.top5, 2U);
  EXPECT_EQ(from_numbers(to_numbers(tally)), tally);
  TokenTally twice = tally;
  twice.merge(tally);
  EXPECT_EQ(twice.all().nats(), 9.0);
  EXPECT_EQ(twice.top5, 4U);
}

TEST(DocumentTallies, MoreThanMemoryHoldsComeBackInOrder) {
  const io::files::TemporaryFolder folder;
  DocumentTallies tallies(folder.path());
  constexpr std::uint64_t kDocuments = 150'000;  // more than twice what stays in memory
  for (std::uint64_t document = 0; document < kDocuments; ++document) {
    if (document % 3 == 1) continue;  // nothing of it is scored
    tallies.add(token_of(2 * document, static_cast<double>(document)));
    tallies.add(token_of(2 * document, 0.25));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "its file has no name";
  for (int time = 0; time < 2; ++time) {
    std::uint64_t next = 0;
    tallies.for_each([&](std::uint64_t document, const TokenTally& tally) {
      if (next % 3 == 1) ++next;
      ASSERT_EQ(document, 2 * next);
      ASSERT_EQ(tally.text.nats(), static_cast<double>(next) + 0.25);
      ++next;
    });
    EXPECT_EQ(next, kDocuments);
  }
  EXPECT_THROW(tallies.add(token_of(5, 1)), std::logic_error);
}

TEST(DoublingBands, ANumberIsInTheBandAroundIt) {
  DoublingBands by_context([](const ScoredToken& token) { return static_cast<std::uint64_t>(token.context); });
  ScoredToken token = token_of(0, 1);
  for (const std::int64_t context : {0, 1, 2, 3, 4, 7, 8, 1000}) {
    token.context = context;
    by_context.add(token);
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> bounds;
  std::vector<std::uint64_t> counts;
  for (const Band& band : by_context.bands()) {
    bounds.emplace_back(band.from, band.to);
    counts.push_back(band.tally.text.count());
  }
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> expected = {{0, 0}, {1, 1},  {2, 3},
                                                                         {4, 7}, {8, 15}, {512, 1023}};
  EXPECT_EQ(bounds, expected);
  EXPECT_EQ(counts, (std::vector<std::uint64_t>{1, 1, 2, 2, 1, 1}));
}

TEST(FrequencyBands, ATokenIsInTheBandOfHowOftenItCame) {
  FrequencyBands bands;
  const auto add = [&](std::uint32_t id, int times) {
    ScoredToken token = token_of(0, id);
    token.token = id;
    for (int i = 0; i < times; ++i) bands.add(token);
  };
  add(3, 1);
  add(4, 9);
  add(70, 10);
  add(5, 100);
  const std::vector<Band> found = bands.bands();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].from, 1U);
  EXPECT_EQ(found[0].to, 9U);
  EXPECT_EQ(found[0].tally.text.nats(), 3.0 + 9 * 4);
  EXPECT_EQ(found[1].tally.text.nats(), 700.0);
  EXPECT_EQ(found[2].from, 100U);
  EXPECT_EQ(found[2].tally.text.count(), 100U);
  EXPECT_TRUE(FrequencyBands().bands().empty());
}

TEST(Calibration, ErrorIsTheDistanceOfWhatCameFromWhatWasExpected) {
  Calibration calibration;
  ScoredToken token = token_of(0, 1);
  const auto add = [&](float probability, bool hit) {
    token.top_probability = probability;
    token.likelier = hit ? 0 : 3;
    calibration.add(token);
  };
  for (int i = 0; i < 4; ++i) add(0.5F, i < 1);  // expected half, a quarter came
  add(1.0F, true);
  token.nll = {};
  token.nll.add(std::numeric_limits<double>::quiet_NaN());
  add(1.0F, true);  // left out
  EXPECT_EQ(calibration.bins()[10].hits, 1U);
  EXPECT_EQ(calibration.bins()[19].probability.count(), 1U);
  EXPECT_DOUBLE_EQ(expected_calibration_error(calibration.bins()).value(), 4.0 / 5 * 0.25);
  EXPECT_FALSE(expected_calibration_error(Calibration().bins()).has_value());
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::tally
