// The chain rule made visible: factors of a text, and the distribution they come from.
#include "pipeline/infer/score/text_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "pipeline/failure/error.h"
#include "pipeline/infer/next/next_token.h"
#include "pipeline/infer/score/render.h"
#include "pipeline/show/heat.h"
#include "tests/support/made_text_model.h"

namespace chainrule::pipeline::infer::score {
namespace {

const std::string kText = "The cat sat.\nOn \xe2\x82\xac!";

class TextScores : public ::testing::Test {
 protected:
  next::NextToken whole_distribution(std::string_view context) {
    return next::next_token(model_, context, {.top = 257}, *ops_);
  }

  models::TextModel model_ = tests::made_text_model(32);
  std::unique_ptr<model::ops::Ops> ops_ = model::ops::make_fast_ops(model::products::Math::float32);
};

TEST_F(TextScores, FactorsOfOnePassEqualThoseComputedPrefixByPrefix) {
  const TextScore score = score_text(model_, kText, false, *ops_);
  ASSERT_EQ(score.tokens.size(), kText.size());  // every byte is a token
  double sum = 0;
  for (std::size_t i = 0; i < kText.size(); ++i) {
    const next::NextToken next = whole_distribution(std::string_view(kText).substr(0, i));
    const TokenScore& token = score.tokens[i];
    EXPECT_EQ(token.bytes, kText.substr(i, 1));
    const next::Candidate& candidate = next.likeliest[static_cast<std::size_t>(token.factor.rank) - 1];
    EXPECT_EQ(candidate.token, token.token) << i;
    EXPECT_NEAR(token.factor.nll_nats, candidate.nll_nats, 1e-5) << i;
    EXPECT_NEAR(token.factor.entropy_nats, next.entropy_nats, 1e-5) << i;
    EXPECT_EQ(token.likeliest_bytes, next.likeliest[0].bytes) << i;
    sum += candidate.nll_nats;
    EXPECT_NEAR(token.log_probability_so_far_nats, -sum, 1e-4) << i;
  }
  const auto bytes = static_cast<double>(kText.size());
  EXPECT_NEAR(score.log_likelihood_nats, -sum, 1e-4);
  EXPECT_NEAR(score.cross_entropy_nats, -score.log_likelihood_nats / bytes, 1e-12);
  EXPECT_NEAR(score.perplexity, std::exp(score.cross_entropy_nats), 1e-9);
  EXPECT_NEAR(score.bits_per_byte, -score.log_likelihood_nats / std::log(2.0) / bytes, 1e-12);
  // Not the uniform model, of which all this would be true too.
  EXPECT_GT(std::abs(score.cross_entropy_nats - std::log(257)), 0.05);
}

TEST_F(TextScores, FactorsThatAreNotFiniteHaveNoNumbers) {
  for (float& value : model_.model.parameters.span()) value = INFINITY;
  const TextScore score = score_text(model_, "ab", false, *ops_);
  EXPECT_EQ(score.nonfinite_tokens, 2);
  const nlohmann::ordered_json token = nlohmann::ordered_json::parse(to_json(score, model_.model).dump())["tokens"][0];
  for (const char* name : {"probability", "nll_nats", "rank", "likeliest"}) EXPECT_TRUE(token[name].is_null()) << name;
  for (const std::string& shown : {render_table(score), render_page(score, model_.model)}) {
    EXPECT_EQ(shown.find("nan"), std::string::npos) << shown;
    EXPECT_NE(shown.find("not finite"), std::string::npos);
  }
}

TEST_F(TextScores, ATextLongerThanTheContextIsRefusedOrReadInWindows) {
  std::string text;
  for (int i = 0; i < 75; ++i) text += static_cast<char>('a' + i * 7 % 26);
  EXPECT_THROW(score_text(model_, text, false, *ops_), failure::Error);
  const TextScore score = score_text(model_, text, true, *ops_);
  EXPECT_EQ(score.tokens.size(), text.size());
  EXPECT_EQ(score.windows, 4);  // 32 tokens, then 16, 16 and 11 more
  for (std::size_t i = 0; i < text.size(); ++i) EXPECT_EQ(score.tokens[i].bytes, text.substr(i, 1));
  const TextScore first = score_text(model_, std::string_view(text).substr(0, 32), false, *ops_);
  EXPECT_EQ(first.windows, 1);
  for (std::size_t i = 0; i < 32; ++i) {
    EXPECT_NEAR(score.tokens[i].factor.nll_nats, first.tokens[i].factor.nll_nats, 1e-5) << i;
  }
}

TEST_F(TextScores, AnEmptyTextHasNothingToScore) {
  try {
    score_text(model_, "", false, *ops_);
    FAIL();
  } catch (const failure::Error& error) {
    EXPECT_EQ(error.code(), failure::ExitCode::bad_data);
  }
}

TEST_F(TextScores, FactorsThatAreNotFiniteAreCountedAndLeaveNoTotals) {
  for (float& value : model_.model.parameters.span()) value = NAN;
  const TextScore score = score_text(model_, "ab", false, *ops_);
  EXPECT_EQ(score.nonfinite_tokens, 2);
  const nlohmann::ordered_json json = nlohmann::ordered_json::parse(to_json(score, model_.model).dump());
  EXPECT_TRUE(json["perplexity"].is_null());
  EXPECT_EQ(json["tokens_scored"], 0);
  EXPECT_THROW(whole_distribution("ab"), failure::Error);
}

TEST_F(TextScores, TheNextTokensProbabilitiesSumToOne) {
  for (const double temperature : {0.2, 1.0, 3.0}) {
    const next::NextToken next = next::next_token(model_, "some text", {.top = 10, .temperature = temperature}, *ops_);
    EXPECT_NEAR(next.probability_sum, 1, 1e-6);
    EXPECT_EQ(next.likeliest.size(), 10U);
    for (std::size_t i = 1; i < 10; ++i) EXPECT_GE(next.likeliest[i - 1].probability, next.likeliest[i].probability);
    EXPECT_NEAR(next.shown_probability() + next.rest_probability(), 1, 1e-6);
    EXPECT_GT(next.rest_probability(), 0);
  }
  EXPECT_LT(next::next_token(model_, "some text", {.temperature = 0.5}, *ops_).entropy_nats,
            next::next_token(model_, "some text", {.temperature = 2}, *ops_).entropy_nats);
}

TEST_F(TextScores, AnEmptyContextIsEndOfTextAlone) {
  const next::NextToken next = whole_distribution("");
  EXPECT_EQ(next.context_tokens, 1);
  const TextScore score = score_text(model_, "x", false, *ops_);
  EXPECT_NEAR(score.tokens[0].factor.entropy_nats, next.entropy_nats, 1e-5);
}

TEST_F(TextScores, AContextTooLongIsRefusedOrLosesItsStart) {
  const std::string text(40, 'q');
  EXPECT_THROW(whole_distribution(text), failure::Error);
  const next::NextToken next = next::next_token(model_, text, {.slide = true}, *ops_);
  EXPECT_EQ(next.context_tokens, 32);
  EXPECT_EQ(next.dropped_tokens, 9);
}

TEST_F(TextScores, PagesAndPicturesEscapeWhatTheyShow) {
  const std::string text = "<b>&\"'\x1b\n";
  const std::string page = render_page(score_text(model_, text, false, *ops_), model_.model);
  EXPECT_EQ(page.find("<b>&"), std::string::npos);
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
  EXPECT_NE(page.find("&lt;</b>"), std::string::npos);
  const std::string svg = next::render_svg(next::next_token(model_, text, {.top = 257}, *ops_));
  EXPECT_NE(svg.find("after “&lt;b&gt;&amp;&quot;&#39;\\u{1b}⏎”"), std::string::npos);
  EXPECT_NE(svg.find(">&lt;</text>"), std::string::npos);
  EXPECT_EQ(svg.find("others"), std::string::npos);  // all are shown
}

TEST_F(TextScores, TheHeatMapResetsColoursBeforeEveryLineEnd) {
  const std::string map = render_heat_map(score_text(model_, "a\nb", false, *ops_), TerminalColours::palette_256);
  EXPECT_NE(map.find("⏎\x1b[0m\n"), std::string::npos);
  EXPECT_NE(map.find("\x1b[38;5;16;48;5;"), std::string::npos);
  EXPECT_EQ(map.find("38;2;"), std::string::npos);
}

TEST(Heat, OneLevelABit) {
  EXPECT_EQ(show::heat_level(0), 0);
  EXPECT_EQ(show::heat_level(0.99 * std::log(2.0)), 0);
  EXPECT_EQ(show::heat_level(1.01 * std::log(2.0)), 1);
  EXPECT_EQ(show::heat_level(1000), show::kHeatLevels - 1);
  EXPECT_EQ(show::heat_level(NAN), show::kHeatLevels - 1);
  EXPECT_EQ(show::to_css(show::heat_colour(show::HeatRamp::page_light, 15)), "#d03042");
}

}  // namespace
}  // namespace chainrule::pipeline::infer::score
