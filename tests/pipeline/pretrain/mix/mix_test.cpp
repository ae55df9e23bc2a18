#include "pipeline/pretrain/mix/mix.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/error.h"
#include "pipeline/failure/error.h"
#include "pipeline/pretrain/mix/mix_options.h"

namespace chainrule::pipeline::pretrain::mix {
namespace {

using Entries = std::vector<std::string>;

/// What work throws, as a message; its code is usage.
template <class Work>
std::string refusal(const Work& work) {
  try {
    work();
  } catch (const failure::Error& error) {
    EXPECT_EQ(error.code(), failure::ExitCode::usage);
    return error.what();
  }
  return "nothing";
}

std::string refused(const Entries& entries) {
  return refusal([&] { parse_mix(entries); });
}

TEST(Mix, IsReadWithItsStages) {
  const Mix mix = parse_mix({"web=/data/web:3", "code=/c:0.25@10", "math=m=x:y@2:1@4", "web:1@10", "math:0@20"});
  ASSERT_EQ(mix.sources.size(), 3U);
  EXPECT_EQ(mix.sources[0].name, "code");
  EXPECT_EQ(mix.sources[0].data, "/c");
  EXPECT_EQ(mix.sources[1].name, "math");
  EXPECT_EQ(mix.sources[1].data, "m=x:y@2");
  EXPECT_EQ(mix.sources[2].data, "/data/web");
  ASSERT_EQ(mix.stages.size(), 4U);
  const auto weights = [&](std::size_t stage) { return mix.stages[stage].weights; };
  EXPECT_EQ(weights(0), (std::vector<std::uint64_t>{0, 0, 3'000'000}));
  EXPECT_EQ(mix.stages[1].step, 4);
  EXPECT_EQ(weights(1), (std::vector<std::uint64_t>{0, 1'000'000, 3'000'000}));
  EXPECT_EQ(mix.stages[2].step, 10);
  EXPECT_EQ(weights(2), (std::vector<std::uint64_t>{250'000, 1'000'000, 1'000'000}));
  EXPECT_EQ(weights(3), (std::vector<std::uint64_t>{250'000, 0, 1'000'000}));
}

TEST(Mix, ReadsWhatItWrites) {
  const Entries entries = {"a=x:1", "a=x:0.5@7", "a=x:0@9", "b=p=q:r:12.25", "c=z:4@7", "d=u:0"};
  EXPECT_EQ(to_entries(parse_mix(entries)), entries);
  EXPECT_EQ(weight_text(1), "0.000001");
  EXPECT_EQ(weight_text(12'000'000), "12");
  EXPECT_EQ(to_entries(parse_mix({"b=y:2.50", "a=x:007"})), (Entries{"a=x:7", "b=y:2.5"}));
}

TEST(Mix, StagesThatChangeNothingAreNone) {
  EXPECT_EQ(parse_mix({"a=x:1", "b=y:2", "a:2@5", "b:4@5"}).stages.size(), 1U);
  EXPECT_EQ(parse_mix({"a=x:1", "b=y:2", "b:4@5"}).stages.size(), 2U);
  EXPECT_EQ(parse_mix({"a=x:1", "a:9@5"}).stages.size(), 1U);
}

TEST(Mix, BadEntriesAreRefusedByName) {
  for (const auto& [entry, message] : std::vector<std::pair<std::string, std::string>>{
           {"a", "it lacks ':' and a weight"},
           {"a=x", "it lacks ':' and a weight"},
           {"a:1", "it lacks '=' and data"},
           {"=x:1", "a source's name has letters"},
           {"a b=x:1", "a source's name has letters"},
           {"/p/a=x:1", "a source's name has letters"},
           {"a=:1", "it names no data"},
           {"a=x:", "the weight '' is no decimal"},
           {"a=x:.", "the weight '.' is no decimal"},
           {"a=x:nan", "the weight 'nan' is no decimal"},
           {"a=x:inf", "the weight 'inf' is no decimal"},
           {"a=x:-1", "the weight '-1' is no decimal"},
           {"a=x:1e3", "the weight '1e3' is no decimal"},
           {"a=x:1.2.3", "the weight '1.2.3' is no decimal"},
           {"a=x:1 ", "the weight '1 ' is no decimal"},
           {"a=x:1000000", "more than 6 digits"},
           {"a=x:0.1234567", "more than 6 digits"},
           {"a=x:99999999999999999999999", "more than 6 digits"},
           {"a=x:1@", "'' is no step from 1"},
           {"a=x:1@0", "'0' is no step from 1"},
           {"a=x:1@-3", "'-3' is no step from 1"},
           {"a=x:1@2.5", "'2.5' is no step from 1"},
           {"a=x:1@99999999999999999999", "is no step from 1"},
           {"b:1@5", "no entry says what the data of 'b' are"},
           {"a=y:1@5", "the source 'a' has other data in another place, 'x'"},
           {"a=x:2", "the source 'a' has a weight at the start already"},
       }) {
    const std::string said = refused({"a=x:1", entry});
    EXPECT_NE(said.find(message), std::string::npos) << entry << ": " << said;
    EXPECT_NE(said.find("option '--mix' is '" + entry + "'"), std::string::npos) << said;
  }
  EXPECT_EQ(refused({"a=x:0", "b=y:0"}), "option '--mix': at the start no source has a weight above 0");
  EXPECT_EQ(refused({"a=x:1", "a=x:0@3"}), "option '--mix': behind step 3 no source has a weight above 0");
  EXPECT_NE(refused({"a=x:1", "b=y:0.000001"}).find("exact after 1000001 samples only"), std::string::npos);
}

TEST(Mix, ValidationDataAreOfItsSources) {
  const Mix mix = parse_mix({"a=x:1", "b=y:1"});
  EXPECT_EQ(parse_validation({"b=p:q=r"}, mix).at("b"), "p:q=r");
  const auto said = [&](const Entries& entries) { return refusal([&] { parse_validation(entries, mix); }); };
  EXPECT_NE(said({"a"}).find("option '--mix-validation' is 'a': it lacks '='"), std::string::npos);
  EXPECT_NE(said({"c=x"}).find("--mix has no source 'c'"), std::string::npos);
  EXPECT_NE(said({"a=x", "a=y"}).find("the source 'a' has validation data already"), std::string::npos);
  EXPECT_NE(said({"a="}).find("it names no data"), std::string::npos);
}

Entries after(const Entries& saved, const Entries& asked, std::int64_t step) {
  return to_entries(continued(parse_mix(saved), parse_mix(asked), step));
}

TEST(Mix, GoesOnAsAskedWhereThePastIsTheSame) {
  const Entries saved = {"a=x:1", "b=y:1", "b=y:3@4"};
  EXPECT_EQ(after(saved, saved, 6), saved);
  EXPECT_EQ(after(saved, {"b=new:2", "a=x:2", "b:6@4"}, 6), (Entries{"a=x:2", "b=new:2", "b=new:6@4"}));
  EXPECT_EQ(after(saved, {"a=x:1", "b=y:1"}, 4), (Entries{"a=x:1", "b=y:1"}));
  EXPECT_EQ(after(saved, {"a=x:7", "b=y:1"}, 0), (Entries{"a=x:7", "b=y:1"}));
}

TEST(Mix, OtherWeightsHoldFromWhereTheRunIs) {
  const Entries saved = {"a=x:1", "b=y:1", "b=y:3@4"};
  EXPECT_EQ(after(saved, {"a=x:1", "b=y:2"}, 6), (Entries{"a=x:1", "b=y:1", "b=y:3@4", "b=y:2@6"}));
  EXPECT_EQ(after(saved, {"a=x:1", "b=y:2", "c=z:1"}, 6), (Entries{"a=x:1", "b=y:1", "b=y:3@4", "b=y:2@6", "c=z:1@6"}));
  EXPECT_EQ(after(saved, {"a=x:1", "b=y:0", "b=y:5@9"}, 6),
            (Entries{"a=x:1", "b=y:1", "b=y:3@4", "b=y:0@6", "b=y:5@9"}));
  // The same command again is no change.
  const Entries changed = after(saved, {"a=x:1", "b=y:2"}, 6);
  EXPECT_EQ(after(changed, {"a=x:1", "b=y:2"}, 8), changed);
  EXPECT_EQ(after(changed, changed, 8), changed);
}

TEST(Mix, WhatWasTrainedDoesNotChange) {
  const Entries saved = {"a=x:1", "b=y:1", "b=y:3@4"};
  const auto said = [&](const Entries& asked) { return refusal([&] { after(saved, asked, 6); }); };
  EXPECT_NE(said({"a=x:1"}).find("the source 'b' of this run is not named"), std::string::npos);
  EXPECT_NE(said({"a=x:1", "b=y:1", "b:2@4"}).find("the stage behind step 4 is not as this run had it"),
            std::string::npos);
  EXPECT_NE(said({"a=x:1", "b=y:1", "b:3@5"}).find("the stage behind step 5 is not"), std::string::npos);
  EXPECT_EQ(refusal([&] { after({"a=x:1", "b=y:1@9"}, {"a=x:1"}, 6); }), "nothing");  // b had not begun
}

TEST(Mix, CountsTheSamplesOfItsStages) {
  const windows::MixOrder order =
      order_of(parse_mix({"a=x:1", "b=y:3@2", "a:0@4", "a:1@6"}), windows::BatchSizes(10), 6);
  EXPECT_EQ(order.counts(20), (std::vector<std::uint64_t>{20, 0}));
  EXPECT_EQ(order.counts(40), (std::vector<std::uint64_t>{25, 15}));
  EXPECT_EQ(order.counts(60), (std::vector<std::uint64_t>{25, 35}));
  EXPECT_EQ(order.counts(80), (std::vector<std::uint64_t>{30, 50}));  // behind the run's end, where it passes over some
  const std::string never = fmt::format("b:1@{}", kLastStep);
  EXPECT_EQ(order_of(parse_mix({"a=x:1", "b=y:0", never}), windows::BatchSizes(1'000'000'000), 6).counts(70),
            (std::vector<std::uint64_t>{70, 0}));
  EXPECT_NE(refusal([] { order_of(of_one_source("x"), windows::BatchSizes(1'000'000'000'000), 1'000'000'000'000); }),
            "nothing");
}

TEST(Mix, LiesInARunsConfiguration) {
  const run::Configuration before = {{"mix", "b=y:2"}, {"mix", "a=x:1"}, {"steps", "3"}};
  run::Configuration configuration = before;
  set_mix(configuration, parse_mix({"a=x:1", "b=y:2", "b:3@9"}));
  EXPECT_EQ(configuration,
            (run::Configuration{{"mix", "a=x:1"}, {"mix", "b=y:2"}, {"mix", "b=y:3@9"}, {"steps", "3"}}));
  EXPECT_EQ(to_entries(mix_in(configuration, "f")), (Entries{"a=x:1", "b=y:2", "b=y:3@9"}));
  EXPECT_TRUE(mix_in({{"data", "x"}}, "f").empty());
  EXPECT_THROW(mix_in({{"mix", "x"}}, "f"), io::Error);
  EXPECT_THROW(check_same_kind(before, {{"data", "x"}}), failure::Error);
  EXPECT_NO_THROW(check_same_kind(before, configuration));
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::mix
