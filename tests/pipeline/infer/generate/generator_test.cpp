#include "pipeline/infer/generate/generator.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/temporary_folder.h"
#include "model/decoder/decode_state.h"
#include "model/shape/parameters.h"
#include "pipeline/failure/error.h"
#include "pipeline/infer/next/next_token.h"
#include "pipeline/infer/score/text_score.h"
#include "tests/support/made_text_model.h"

namespace chainrule::pipeline::infer::generate {
namespace {

class Generation : public ::testing::Test {
 protected:
  std::vector<Prompt> prompts(const std::vector<std::string>& texts, std::optional<std::int64_t> maximum_tokens,
                              bool slide = false) {
    std::vector<Prompt> all(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) all[i].text = texts[i];
    prepare(all, model_, maximum_tokens, slide);
    return all;
  }

  std::vector<Sample> run(const std::vector<Prompt>& all, const GenerationOptions& options) {
    Generator generator(model_, all, options, *ops_);
    std::map<std::int64_t, std::string> heard;
    std::vector<Sample> samples;
    for (std::int64_t batch = 0; batch < generator.batches(); ++batch) {
      for (Sample& sample :
           generator.run(batch, [&](std::int64_t sequence, std::string_view piece) { heard[sequence] += piece; })) {
        samples.push_back(std::move(sample));
      }
    }
    for (std::size_t i = 0; i < samples.size(); ++i) {
      EXPECT_EQ(heard[static_cast<std::int64_t>(i)], samples[i].text) << "what was streamed is the text";
    }
    return samples;
  }

  std::vector<std::string> texts_of(const std::vector<Sample>& samples) {
    std::vector<std::string> texts;
    for (const Sample& sample : samples) texts.push_back(sample.text);
    return texts;
  }

  models::TextModel model_ = tests::made_text_model(48);
  std::unique_ptr<model::ops::Ops> ops_ = model::ops::make_fast_ops(model::products::Math::float32);
};

TEST_F(Generation, GreedyIsTheArgmaxOfNext) {
  const auto all = prompts({"once upon", "", "Zz"}, 12);
  for (const Sample& sample : run(all, {.sampling = {.temperature = 0}})) {
    std::string context = all[static_cast<std::size_t>(sample.prompt)].text;
    for (const io::tokenizer::TokenId token : sample.tokens) {
      const next::NextToken next = next::next_token(model_, context, {.top = 2}, *ops_);
      if (next.likeliest[0].probability - next.likeliest[1].probability > 1e-4) {
        EXPECT_EQ(token, next.likeliest[0].token) << context;
      }
      context += model_.tokenizer.token_bytes(token);
    }
  }
}

TEST_F(Generation, AFirstTokensFrequencyMatchesItsProbability) {
  constexpr int kSamples = 6000;
  std::map<io::tokenizer::TokenId, int> counts;
  for (const Sample& sample : run(prompts({"a"}, 1), {.samples = kSamples, .batch = 64, .seed = 5})) {
    ++counts[sample.tokens.at(0)];
  }
  const next::NextToken next = next::next_token(model_, "a", {.top = 257}, *ops_);
  double statistic = 0;
  double rest = 0;  // rare tokens share one cell
  int rest_count = 0;
  int cells = 0;
  for (const next::Candidate& candidate : next.likeliest) {
    const double mean = candidate.probability * kSamples;
    if (mean < 5) {
      rest += mean;
      rest_count += counts[candidate.token];
      continue;
    }
    statistic += (counts[candidate.token] - mean) * (counts[candidate.token] - mean) / mean;
    ++cells;
  }
  if (rest > 0) statistic += (rest_count - rest) * (rest_count - rest) / rest;
  ASSERT_GT(cells, 10);
  EXPECT_LT(statistic, cells + 4.5 * std::sqrt(2.0 * cells));
}

TEST_F(Generation, TheSameSeedGivesTheSameText) {
  const auto all = prompts({"first", "second"}, 20);
  const auto once = texts_of(run(all, {.samples = 3, .batch = 4, .seed = 9}));
  EXPECT_EQ(texts_of(run(all, {.samples = 3, .batch = 4, .seed = 9})), once);
  EXPECT_NE(texts_of(run(all, {.samples = 3, .batch = 4, .seed = 10})), once);
  EXPECT_EQ(std::set<std::string>(once.begin(), once.end()).size(), 6U) << "samples differ from each other";
}

TEST_F(Generation, ABatchGivesTheSameWhateverWasRunBefore) {
  const auto all = prompts({"one", "two two", "three three three", "", "five"}, 15);
  const GenerationOptions options{.samples = 2, .batch = 3, .seed = 4};
  const std::vector<Sample> whole = run(all, options);
  for (std::int64_t batch = 3; batch >= 0; --batch) {
    Generator generator(model_, all, options, *ops_);
    const auto samples = generator.run(batch, [](std::int64_t, std::string_view) {});
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const Sample& expected = whole[static_cast<std::size_t>(batch) * 3 + i];
      EXPECT_EQ(samples[i].tokens, expected.tokens);
      EXPECT_EQ(samples[i].nll_nats, expected.nll_nats);
    }
  }
}

TEST_F(Generation, TheProbabilityOfASampleIsThatOfScore) {
  const std::string prompt = "Hello";
  int compared = 0;
  for (const Sample& sample : run(prompts({prompt}, 25), {.sampling = {.temperature = 0.6}, .samples = 3})) {
    const score::TextScore score = score::score_text(model_, prompt + sample.text, false, *ops_);
    double nats = 0;
    for (std::size_t i = prompt.size(); i < score.tokens.size(); ++i) nats += score.tokens[i].factor.nll_nats;
    if (sample.finish == Finish::end_of_text) continue;  // which is no part of the text
    EXPECT_NEAR(sample.nll_nats, nats, 1e-4);
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

TEST_F(Generation, StopTextsEndASample) {
  const auto all = prompts({"x"}, 40);
  const GenerationOptions options{.samples = 8, .seed = 2};
  const std::vector<Sample> free = run(all, options);
  GenerationOptions stopped = options;
  stopped.stops = {free[3].text.substr(5, 2), free[6].text.substr(9, 1)};
  const std::vector<Sample> cut = run(all, stopped);
  for (std::size_t i = 0; i < free.size(); ++i) {
    const std::size_t at = std::min(free[i].text.find(stopped.stops[0]), free[i].text.find(stopped.stops[1]));
    EXPECT_EQ(cut[i].text, free[i].text.substr(0, at)) << i;
    EXPECT_EQ(cut[i].finish == Finish::stop, at != std::string::npos);
  }
  EXPECT_LE(cut[3].text.size(), 5U);
}

TEST_F(Generation, EndOfTextEndsASampleAndIsNotPrinted) {
  // A model that can only say end-of-text: its embedding alone points where the final norm's bias does.
  auto parameters = model_.model.parameters.span();
  std::fill(parameters.begin(), parameters.end(), 0.0F);
  const model::shape::ParameterTable table(model_.model.config);
  parameters[static_cast<std::size_t>(table.find("final_norm.bias").offset)] = 1;
  const std::int64_t width = model_.model.config.width;
  parameters[static_cast<std::size_t>(table.find("token_embedding.weight").offset +
                                      std::int64_t{model_.tokenizer.end_of_text()} * width)] = 60;
  const std::vector<Sample> samples = run(prompts({"x"}, 10), {});
  EXPECT_EQ(samples[0].finish, Finish::end_of_text);
  EXPECT_EQ(samples[0].text, "");
  EXPECT_THAT(samples[0].tokens, ::testing::ElementsAre(model_.tokenizer.end_of_text()));
}

/// tokenizer with a token that its files call eos_token, and that is another than end-of-text.
io::tokenizer::Tokenizer with_end(const io::tokenizer::Tokenizer& tokenizer, io::tokenizer::TokenId end) {
  const io::files::TemporaryFolder folder;
  tokenizer.save(folder.path() / "tokenizer.json");
  const nlohmann::json config = {{"eos_token", tokenizer.token_spelling(end)}};
  io::files::write_file_atomically(folder.path() / "tokenizer_config.json", config.dump());
  return io::tokenizer::Tokenizer::load(folder.path());
}

TEST_F(Generation, TheTokenThatTheFilesCallTheEndEndsASampleToo) {
  auto parameters = model_.model.parameters.span();
  std::fill(parameters.begin(), parameters.end(), 0.0F);
  const model::shape::ParameterTable table(model_.model.config);
  parameters[static_cast<std::size_t>(table.find("final_norm.bias").offset)] = 1;
  constexpr io::tokenizer::TokenId kTurnEnd = 65;
  parameters[static_cast<std::size_t>(table.find("token_embedding.weight").offset +
                                      std::int64_t{kTurnEnd} * model_.model.config.width)] = 60;
  EXPECT_EQ(run(prompts({"x"}, 10), {})[0].finish, Finish::length);
  model_.tokenizer = with_end(model_.tokenizer, kTurnEnd);
  const std::vector<Sample> samples = run(prompts({"x"}, 10), {});
  EXPECT_EQ(samples[0].finish, Finish::end_of_text);
  EXPECT_THAT(samples[0].tokens, ::testing::ElementsAre(kTurnEnd));
}

TEST_F(Generation, ContextsThatOutgrowTheModelAreRefusedOrSlid) {
  EXPECT_THROW(prompts({std::string(48, 'a')}, std::nullopt), failure::Error);
  EXPECT_THROW(prompts({std::string(40, 'a')}, 9), failure::Error);
  EXPECT_EQ(prompts({std::string(40, 'a')}, 8)[0].maximum_tokens, 8);
  EXPECT_EQ(prompts({std::string(40, 'a')}, std::nullopt)[0].maximum_tokens, 8);
  run(prompts({std::string(40, 'a'), ""}, 8), {});

  const std::string long_prompt(60, 'b');
  const auto all = prompts({"short", long_prompt}, 120, true);
  const std::vector<Sample> samples = run(all, {.sampling = {.temperature = 0}});
  EXPECT_EQ(samples[0].tokens.size(), 120U);
  // 48 of 6 + 119 tokens fit; each slide makes room for 24.
  EXPECT_EQ(samples[0].slides, 4);
  EXPECT_EQ(samples[1].slides, 5);
  // The first token behind a slide follows the last 24 tokens before the newest, and the newest.
  std::vector<io::tokenizer::TokenId> tokens = all[0].tokens;
  tokens.insert(tokens.end(), samples[0].tokens.begin(), samples[0].tokens.begin() + 43);
  ASSERT_EQ(tokens.size(), 49U);
  tokens.erase(tokens.begin(), tokens.begin() + 24);
  model::decoder::DecodeState state(model_.model.config, {.slots = 1, .capacity = 48}, *ops_);
  const model::decoder::SlotPrompt kept{0, tokens};
  state.prefill(model_.model.parameters.span(), {&kept, 1});
  const std::span<const float> logits = state.logits(0);
  EXPECT_NEAR(logits[samples[0].tokens[43]], *std::max_element(logits.begin(), logits.end()), 1e-4);
}

TEST_F(Generation, NumbersTooLargeForArithmeticAreCut) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  auto all = prompts({"x"}, 4);
  const std::vector<std::string> expected = texts_of(run(all, {.sampling = {.temperature = 0}}));
  EXPECT_EQ(texts_of(run(all, {.sampling = {.temperature = 0}, .batch = kLargest})), expected);
  all = prompts({"x"}, kLargest, true);
  const Generator generator(model_, all, {}, *ops_);
  EXPECT_EQ(generator.batches(), 1);
}

TEST_F(Generation, LogitsThatAreNotFiniteAreReported) {
  for (float& value : model_.model.parameters.span()) value = INFINITY;
  EXPECT_THROW(run(prompts({"x"}, 3), {}), failure::Error);
}

TEST(Prompts, MistakesNameFileAndLine) {
  const auto message = [](const std::string& content) -> std::string {
    try {
      parse_prompts(content, "prompts.jsonl");
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), io::ErrorKind::bad_data);
      return error.what();
    }
    return "";
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(message("{\"prompt\":\"a\"}\n\n{oops\n"), HasSubstr("prompts.jsonl' line 3: not valid JSON"));
  EXPECT_THAT(message("[1]\n"), HasSubstr("line 1: not a JSON object"));
  EXPECT_THAT(message("{\"text\":\"a\"}\n"), HasSubstr("no string named \"prompt\""));
  EXPECT_THAT(message("{\"prompt\":\"a\",\"id\":[]}\n"), HasSubstr("\"id\""));
  EXPECT_THAT(message("\n \n"), HasSubstr("there are none"));
  const std::vector<Prompt> prompts =
      parse_prompts("{\"prompt\":\"a\",\"id\":7}\r\n{\"prompt\":\"\",\"more\":1}", "prompts.jsonl");
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_EQ(prompts[1].name, "prompts 'prompts.jsonl' line 2");
  EXPECT_EQ(prompts[0].id, 7);
  EXPECT_TRUE(prompts[1].id.is_null());
}

}  // namespace
}  // namespace chainrule::pipeline::infer::generate
