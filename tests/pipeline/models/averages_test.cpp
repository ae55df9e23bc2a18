// Paths that name averages of weights, and means of a run's checkpoints while the run goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "io/error.h"
#include "model/shape/initialise.h"
#include "model/shape/parameters.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/average_name.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/models/loaded_model.h"
#include "tests/support/made_checkpoint.h"
#include "tests/support/mpi_world.h"

namespace chainrule::pipeline::models {
namespace {

using testing::ElementsAre;
using tests::world;

class Averages : public testing::Test {
 protected:
  Averages() {
    const std::string name = "chainrule-averages-" + std::to_string(::getpid());
    run_ = std::filesystem::temp_directory_path() / world().broadcast(name);
    config_.layers = 1;
    config_.heads = 1;
    config_.width = 8;
    config_.feed_forward_width = 16;
    config_.vocabulary_size = 300;
    config_.sequence_length = 8;
    if (world().rank() == 0) {
      for (const std::int64_t step : {1, 2, 3, 4}) write(step);
    }
    world().barrier();
  }
  ~Averages() override {
    world().barrier();
    if (world().rank() == 0) std::filesystem::remove_all(run_);
  }

  model::Arena weights(std::int64_t step) const {
    const model::shape::ParameterTable table(config_);
    model::Arena arena(table.arena_size());
    model::shape::initialise(config_, table, static_cast<std::uint64_t>(step), arena.span());
    return arena;
  }

  void write(std::int64_t step) const {
    const model::Arena arena = weights(step);
    tests::write_checkpoint(checkpoint_folder(run_, step), {config_, arena.span(), step, "fingerprint"});
  }

  void damage(std::int64_t step) const {
    std::fstream stream(checkpoint_folder(run_, step) / "model.h5", std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(5000);
    stream.write("damage", 6);
  }

  void expect_mean(const LoadedModel& loaded, const std::vector<std::int64_t>& steps) const {
    std::vector<double> sums(static_cast<std::size_t>(loaded.parameters.size()));
    for (const std::int64_t step : steps) {
      const model::Arena each = weights(step);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += each.span()[i];
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      ASSERT_EQ(loaded.parameters.span()[i], static_cast<float>(sums[i] / static_cast<double>(steps.size())));
    }
    EXPECT_EQ(loaded.folder, mean_path(run_, steps));
    EXPECT_EQ(loaded.average, loaded.folder.filename());
    EXPECT_EQ(loaded.step, steps.back());
  }

  std::filesystem::path run_;
  model::shape::Config config_;
};

TEST_F(Averages, APathNamesOneWhereNothingLiesThere) {
  if (world().rank() != 0) return;
  EXPECT_FALSE(parse_average_name(run_));
  EXPECT_FALSE(parse_average_name(run_ / "averages"));
  const auto last = parse_average_name(run_ / "last:3");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->kind, AverageName::Kind::last);
  EXPECT_EQ(last->of, run_);
  EXPECT_EQ(last->count, 3U);
  const auto mean = parse_average_name(mean_path(run_, {2, 10, 11}) / "");
  ASSERT_TRUE(mean);
  EXPECT_EQ(mean->kind, AverageName::Kind::mean);
  EXPECT_THAT(mean->steps, ElementsAre(2, 10, 11));
  for (const auto& of : {run_, checkpoint_folder(run_, 2)}) {
    const auto kept = parse_average_name(of / "average");
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->kind, AverageName::Kind::kept);
    EXPECT_EQ(kept->of, of);
  }
  EXPECT_FALSE(parse_average_name(checkpoint_folder(run_, 2) / "last:2")) << "a mean is of a run";
  EXPECT_FALSE(parse_average_name(run_.parent_path() / "average")) << "of a run or a checkpoint";
  std::filesystem::create_directory(run_ / "average");
  EXPECT_FALSE(parse_average_name(run_ / "average")) << "what lies there is meant";
}

TEST_F(Averages, WhatCannotBeIsRefused) {
  if (world().rank() != 0) return;
  for (const char* name :
       {"last:", "last:0", "last:-1", "last:101", "last:2,3", "last:x", "last:2 ", "last:99999999999999999999",
        "mean:", "mean:2,", "mean:3,2", "mean:2,2", "mean:x", "mean:2;3"}) {
    EXPECT_THROW(parse_average_name(run_ / name), failure::Error) << name;
  }
}

TEST_F(Averages, AMeanIsThatOfFloat64RoundedOnce) {
  if (world().rank() != 0) return;
  expect_mean(load_model(run_ / "last:3"), {2, 3, 4});
  expect_mean(load_model(run_ / "mean:1,4"), {1, 4});
  expect_mean(load_model(run_ / "last:1"), {4});
  EXPECT_EQ(load_model(run_ / "last:1").weights_hash, load_model(run_).weights_hash);
  EXPECT_EQ(load_model(run_ / "last:3").weights_hash, load_model(run_ / "mean:2,3,4").weights_hash);
}

TEST_F(Averages, DamagedCheckpointsArePassedOverAndTooFewRefused) {
  if (world().rank() != 0) return;
  damage(3);
  expect_mean(load_model(run_ / "last:3"), {1, 2, 4});
  EXPECT_THROW(load_model(run_ / "mean:2,3"), io::Error);
  try {
    load_model(run_ / "last:4");
    FAIL();
  } catch (const io::Error& error) {
    EXPECT_EQ(error.kind(), io::ErrorKind::missing_input);
    EXPECT_THAT(error.what(), testing::HasSubstr("has 3 that are intact"));
  }
}

TEST_F(Averages, ModelsOfOtherShapesHaveNoMean) {
  if (world().rank() != 0) return;
  config_.feed_forward_width = 24;
  write(5);
  try {
    load_model(run_ / "last:2");
    FAIL();
  } catch (const io::Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("step-00000004"), testing::HasSubstr("step-00000005")));
  }
}

TEST_F(Averages, ACheckpointWithoutOneIsNotPassedOver) {
  if (world().rank() != 0) return;
  try {
    load_model(run_ / "average");
    FAIL();
  } catch (const failure::Error& error) {
    EXPECT_EQ(error.code(), failure::ExitCode::missing_input);
    EXPECT_THAT(error.what(), testing::HasSubstr("step-00000004' keeps no average"));
  }
}

TEST_F(Averages, EveryRankAveragesTheFirstOnesChoice) {
  const LoadedModel loaded = load_same_model(world(), run_ / "last:2", [&](const LoadedModel& model) {
    // A newer one comes as soon as rank 0 has read its own.
    if (world().rank() == 0 && model.step == 4) write(5);
  });
  expect_mean(loaded, {3, 4});
}

TEST_F(Averages, AChoiceThatIsGoneBeforeTheOthersReadItIsMadeAgain) {
  const LoadedModel loaded = load_same_model(world(), run_ / "last:2", [&](const LoadedModel& model) {
    if (world().rank() != 0 || model.step != 4) return;
    write(5);
    std::filesystem::remove_all(checkpoint_folder(run_, 3));
  });
  if (world().size() == 1) return expect_mean(loaded, {3, 4});
  expect_mean(loaded, {4, 5});
}

}  // namespace
}  // namespace chainrule::pipeline::models
