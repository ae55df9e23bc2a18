// Names, times and errors in other programs' files of results.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

#include "pipeline/evaluate/writers/estimates.h"
#include "pipeline/evaluate/writers/written_report.h"

namespace chainrule::pipeline::evaluate::writers {
namespace {

TEST(PortableName, IsTheLastComponent) {
  EXPECT_EQ(portable_name("models/smollm2-135m"), "smollm2-135m");
  EXPECT_EQ(portable_name("models/smollm2-135m/"), "smollm2-135m");
  EXPECT_EQ(portable_name("models/./a/../b_1.2"), "b_1.2");
}

TEST(PortableName, HoldsNothingThatASystemMinds) {
  EXPECT_EQ(portable_name("a b<c>:\"|?*\n\xc3\xa9"), "a_b_c_________");
  EXPECT_EQ(portable_name("NUL"), "_NUL");
  EXPECT_EQ(portable_name("com1.json"), "_com1.json");
  EXPECT_EQ(portable_name("command"), "command");
  EXPECT_EQ(portable_name("ends."), "ends._");
  EXPECT_EQ(portable_name("/"), "_");
  EXPECT_EQ(portable_name(std::string(300, 'x')), std::string(100, 'x'));
}

TEST(Times, AreReadAsUtc) {
  EXPECT_EQ(unix_seconds("1970-01-02T00:00:01Z"), 86'401);
  EXPECT_EQ(unix_seconds("2026-11-28T17:44:52Z"), 1'795'887'892);
  for (const char* none : {"", "2026", "2026-11-28T17:44:52", "2026-11-28T17:44:52Z "}) {
    EXPECT_FALSE(unix_seconds(none)) << none;
  }
}

tally::TokenTally tally_of(std::initializer_list<double> nats) {
  tally::TokenTally tally;
  for (const double each : nats) tally.text.add(each);
  return tally;
}

TEST(Estimates, AreRatiosOfSumsClusteredByDocument) {
  report::EvaluationSummary summary;
  summary.cross_entropy_nats = 2;  // (1 + 7) / 4
  summary.perplexity = std::exp(2.0);
  Estimates estimates(summary);
  estimates.add({.bytes = 10, .words = 2}, tally_of({1}));
  estimates.add({.bytes = 0, .words = 1}, {});  // an empty document has no tokens, and a word
  estimates.add({.bytes = 20, .words = 5}, tally_of({2, 2, 3}));
  // Deviations are 1 - 2 x 1 and 7 - 2 x 3: sqrt(2 / 1 x (1 + 1)) / 4.
  const double error = 0.5;
  const std::optional<Estimate> entropy = estimates.of(measure_named("cross_entropy_nats"));
  ASSERT_TRUE(entropy && entropy->standard_error && entropy->low && entropy->high);
  EXPECT_EQ(entropy->value, 2);
  EXPECT_EQ(entropy->documents, 2);
  EXPECT_NEAR(*entropy->standard_error, error, 1e-12);
  EXPECT_NEAR(*entropy->low, 2 - 1.959963984540054 * error, 1e-12);
  EXPECT_NEAR(*entropy->high, 2 + 1.959963984540054 * error, 1e-12);
  const std::optional<Estimate> perplexity = estimates.of(measure_named("perplexity"));
  ASSERT_TRUE(perplexity && perplexity->standard_error && perplexity->low && perplexity->high);
  EXPECT_NEAR(*perplexity->standard_error, std::exp(2.0) * error, 1e-12);
  EXPECT_NEAR(std::log(*perplexity->low), *entropy->low, 1e-12);
  EXPECT_NEAR(std::log(*perplexity->high), *entropy->high, 1e-12);
  EXPECT_FALSE(estimates.of(measure_named("bits_per_byte"))) << "the summary has none";
}

TEST(Estimates, CountEmptyDocumentsByTheirWord) {
  report::EvaluationSummary summary;
  summary.word_perplexity = std::exp(1.0);  // 8 nats, 8 words
  Estimates estimates(summary);
  estimates.add({.bytes = 10, .words = 2}, tally_of({1}));
  estimates.add({.bytes = 0, .words = 1}, {});
  estimates.add({.bytes = 20, .words = 5}, tally_of({2, 2, 3}));
  const std::optional<Estimate> words = estimates.of(measure_named("word_perplexity"));
  ASSERT_TRUE(words && words->standard_error);
  EXPECT_EQ(words->documents, 3);
  // Deviations are 1 - 2, 0 - 1 and 7 - 5: sqrt(3 / 2 x (1 + 1 + 4)) / 8.
  EXPECT_NEAR(*words->standard_error, std::exp(1.0) * 3 / 8, 1e-12);
}

TEST(Estimates, OfOneDocumentHaveNoError) {
  report::EvaluationSummary summary;
  summary.bits_per_byte = 1 / (10 * std::numbers::ln2);
  Estimates estimates(summary);
  estimates.add({.bytes = 10, .words = 2}, tally_of({1}));
  const std::optional<Estimate> bits = estimates.of(measure_named("bits_per_byte"));
  ASSERT_TRUE(bits);
  EXPECT_FALSE(bits->standard_error || bits->low || bits->high);
}

TEST(Estimates, WhatOverflowsIsLeftOut) {
  report::EvaluationSummary summary;
  summary.word_perplexity = 1e308;
  Estimates estimates(summary);
  estimates.add({.words = 1}, tally_of({600}));
  estimates.add({.words = 1}, tally_of({820}));
  const std::optional<Estimate> words = estimates.of(measure_named("word_perplexity"));
  ASSERT_TRUE(words);
  EXPECT_FALSE(words->standard_error || words->high);
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::writers
