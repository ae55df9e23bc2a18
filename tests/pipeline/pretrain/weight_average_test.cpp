// The average that a trainer keeps of its weights, and what checkpoints give back of it, over real ranks.
#include "pipeline/pretrain/optimizer/weight_average.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "io/error.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/loaded_model.h"
#include "tests/pipeline/pretrain/trainer_case.h"

namespace chainrule::pipeline::pretrain {
namespace {

constexpr double kDecay = 0.75;

/// A rank that owns some of the few blocks.
int last_rank() { return tests::world().size() - 1; }

class WeightAverageTest : public TrainerTest {
 protected:
  WeightAverageTest()
      : data_(io::tokens::DataSet::open(folder_)),
        samples_(windows::Windows(data_, config_.sequence_length), options_.seed) {
    options_.average_decay = kDecay;
  }

  std::unique_ptr<step::Trainer> make() {
    exchanges_.push_back(std::make_unique<comm::Communicator>(tests::world().duplicate()));
    return std::make_unique<step::Trainer>(tests::world(), *exchanges_.back(), config_, options_, samples_);
  }

  /// This rank's slices of an arena, side by side.
  template <class Value>
  static std::vector<Value> own(step::Trainer& trainer, const Value* arena) {
    std::vector<Value> values;
    for (const auto& slice : trainer.optimizer().state().slices) {
      values.insert(values.end(), arena + slice.begin, arena + slice.end);
    }
    return values;
  }

  static std::vector<float> average(step::Trainer& trainer) {
    const optimizer::OwnedState state = trainer.average()->state();
    EXPECT_EQ(state.slots.size(), 1U);
    return {state.slots[0].values.begin(), state.slots[0].values.end()};
  }

  io::tokens::DataSet data_;
  windows::PermutedWindows samples_;
  std::vector<std::unique_ptr<comm::Communicator>> exchanges_;
};

TEST_F(WeightAverageTest, FollowsItsFormulaInFloat64) {
  const auto trainer = make();
  const std::span<const float> weights = trainer->parameters().span();
  std::vector<double> expected(weights.begin(), weights.end());
  EXPECT_EQ(average(*trainer), own(*trainer, weights.data())) << "it begins as a copy";
  constexpr int kSteps = 5;
  for (int i = 0; i < kSteps; ++i) {
    trainer->step({});
    const float* const now = trainer->parameters().data();
    for (std::size_t e = 0; e < expected.size(); ++e) expected[e] = kDecay * expected[e] + (1 - kDecay) * now[e];
  }
  const std::vector<double> mine = own(*trainer, expected.data());
  const std::vector<float> found = average(*trainer);
  ASSERT_EQ(found.size(), mine.size());
  // Rounded once a step to half of a float's last place, of which later steps let three quarters pass.
  for (std::size_t e = 0; e < mine.size(); ++e) ASSERT_NEAR(found[e], mine[e], 4 * 0x1p-24 * std::abs(mine[e]) + 1e-9);
  EXPECT_EQ(found == own(*trainer, trainer->parameters().data()), found.empty());  // a rank may own nothing
}

TEST_F(WeightAverageTest, AStepThatIsNotTakenDoesNotEnter) {
  options_.skip_outliers = true;
  const auto trainer = make();
  trainer->step({});
  const std::vector<float> before = average(*trainer);
  const std::vector<double> small(step::RecentValues::kMost, 1e-9);
  trainer->set_recent_steps({step::RecentValues(small), step::RecentValues(small)});
  EXPECT_EQ(trainer->step({}).status, step::StepStatus::outlier_loss);
  trainer->pass_over();
  EXPECT_EQ(average(*trainer), before);
  trainer->set_recent_steps({});
  EXPECT_EQ(trainer->step({}).status, step::StepStatus::updated);
  EXPECT_EQ(average(*trainer) == before, before.empty());  // a rank may own nothing
}

TEST_F(WeightAverageTest, GoesOnFromACheckpointToTheSameBits) {
  const auto whole = make();
  for (int i = 0; i < 2; ++i) whole->step({});
  const std::filesystem::path checkpoint = save(*whole);
  const std::vector<float> saved = average(*whole);
  const checkpoint::TrainingState state = checkpoint::read_training_state(checkpoint);

  const auto resumed = make();
  restore_trainer(tests::world(), checkpoint, state, *resumed);
  EXPECT_EQ(average(*resumed), saved);
  for (int i = 0; i < 2; ++i) {
    whole->step({});
    resumed->step({});
  }
  EXPECT_EQ(average(*resumed), average(*whole));
  restore_trainer(tests::world(), checkpoint, state, *resumed);  // as a rollback does
  EXPECT_EQ(average(*resumed), saved);
}

TEST_F(WeightAverageTest, BeginsAtACheckpointThatKeepsNone) {
  options_.average_decay.reset();
  const auto without = make();
  without->step({});
  EXPECT_EQ(without->average(), nullptr);
  const std::filesystem::path checkpoint = save(*without);
  EXPECT_FALSE(checkpoint::keeps_average(checkpoint));
  options_.average_decay = kDecay;
  const auto resumed = make();
  resumed->step({});
  resumed->step({});
  restore_trainer(tests::world(), checkpoint, checkpoint::read_training_state(checkpoint), *resumed);
  EXPECT_EQ(average(*resumed), own(*resumed, resumed->parameters().data()));
}

TEST_F(WeightAverageTest, ACheckpointsIsAModelOfItsOwn) {
  const auto trainer = make();
  for (int i = 0; i < 3; ++i) trainer->step({});
  const std::filesystem::path checkpoint = save(*trainer);
  for (const auto& path : {checkpoint / "average", folder_ / "run" / "average"}) {
    const models::LoadedModel loaded = models::load_model(path);
    EXPECT_EQ(loaded.folder, checkpoint / "average");
    EXPECT_EQ(loaded.average, "ema:0.75");
    EXPECT_EQ(loaded.step, 3);
    EXPECT_EQ(loaded.weights_hash, models::hash_of(loaded.parameters.span()));
    EXPECT_NE(loaded.weights_hash, models::load_model(checkpoint).weights_hash);
    EXPECT_EQ(own(*trainer, loaded.parameters.data()), average(*trainer));
  }
}

TEST_F(WeightAverageTest, DamageToItIsDamageToTheCheckpoint) {
  const auto trainer = make();
  trainer->step({});
  const std::filesystem::path first = save(*trainer);
  trainer->step({});
  const std::filesystem::path second = save(*trainer);
  damage(second / fmt::format("average-{:05}.h5", last_rank()));
  EXPECT_EQ(models::load_model(folder_ / "run").step, 2) << "the weights are whole";
  EXPECT_EQ(models::load_model(folder_ / "run" / "average").folder, first / "average");
  EXPECT_THROW(models::load_model(second / "average"), io::Error);
  tests::world().barrier();
  EXPECT_EQ(checkpoint::find_intact_checkpoint(tests::world(), folder_ / "run"), first);
}

TEST_F(WeightAverageTest, IsNotSavedWhereItIsNotFinite) {
  const auto trainer = make();
  trainer->step({});
  const optimizer::OwnedState state = trainer->average()->state();
  if (tests::world().rank() == last_rank()) state.slots[0].values.front() = NAN;
  EXPECT_THROW(save(*trainer), failure::AgreedError);
  EXPECT_FALSE(std::filesystem::exists(models::checkpoint_folder(folder_ / "run", 1)));
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain
