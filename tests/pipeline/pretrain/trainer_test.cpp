// Token weighting of a training step, and what a run's checkpoints give back, over real ranks.
#include "pipeline/pretrain/step/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "io/error.h"
#include "io/tensors/manifest.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/loaded_model.h"
#include "tests/pipeline/pretrain/trainer_case.h"

namespace chainrule::pipeline::pretrain {
namespace {

/// The vector of the design: gradients of a loss of 2 over 1 token and of 90 over 9 tokens. Their sum times the scale
/// is the gradient of the mean over 10 tokens; a mean of the two means, (2 + 10) / 2, would be another.
TEST(GradientScale, IsOfTheMeanOverAllTokens) {
  EXPECT_DOUBLE_EQ((2 + 90) * step::gradient_scale(1 + 9, 92, 0), 9.2);
  EXPECT_NE((2.0 / 1 + 90.0 / 9) / 2, 9.2);
}

TEST(GradientScale, ClipsTheMeanGradient) {
  EXPECT_DOUBLE_EQ(step::gradient_scale(10, 92, 100), 0.1);       // norm 9.2 is below 100
  EXPECT_DOUBLE_EQ(92 * step::gradient_scale(10, 92, 4.6), 4.6);  // and above 4.6
  EXPECT_DOUBLE_EQ(step::gradient_scale(10, 0, 1), 0.1);
}

TEST_F(TrainerTest, GoesOnFromACheckpointToTheSameBits) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  const comm::Communicator exchange = world.duplicate();
  step::Trainer whole(world, exchange, config_, options_, samples);
  for (int i = 0; i < 2; ++i) whole.step({});
  const std::filesystem::path checkpoint = save(whole);
  EXPECT_EQ(checkpoint::find_intact_checkpoint(world, folder_ / "run"), checkpoint);

  const comm::Communicator other_exchange = world.duplicate();
  step::Trainer resumed(world, other_exchange, config_, options_, samples);
  EXPECT_NE(hash(resumed), hash(whole));
  restore_trainer(world, checkpoint, checkpoint::read_training_state(checkpoint), resumed);
  EXPECT_EQ(hash(resumed), hash(whole));
  EXPECT_EQ(resumed.samples_consumed(), 20U);
  for (int i = 0; i < 2; ++i) {
    whole.step({});
    resumed.step({});
  }
  EXPECT_EQ(hash(resumed), hash(whole));
}

/// The loss that is told of the first step is that of the same weights, so the same; what is made of it is not.
TEST_F(TrainerTest, AZLossChangesWeightsAndNotTheLossThatIsTold) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  const comm::Communicator exchange = world.duplicate();
  step::Trainer without(world, exchange, config_, options_, samples);
  options_.z_loss = 1e-2;
  const comm::Communicator other_exchange = world.duplicate();
  step::Trainer with(world, other_exchange, config_, options_, samples);
  const step::StepOutcome plain = without.step({});
  const step::StepOutcome changed = with.step({});
  EXPECT_EQ(changed.loss_nats, plain.loss_nats);
  EXPECT_NE(changed.gradient_norm, plain.gradient_norm);
  EXPECT_NE(hash(with), hash(without));
}

TEST_F(TrainerTest, ASnapshotMayBeOfCopiesThatOutliveTheStep) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  const comm::Communicator exchange = world.duplicate();
  step::Trainer trainer(world, exchange, config_, options_, samples);
  trainer.step({});
  checkpoint::Snapshot copies = snapshot(trainer);
  const std::vector<float> parameters(copies.parameters.begin(), copies.parameters.end());
  copies.parameters = parameters;
  std::vector<std::vector<float>> slots;
  for (optimizer::StateSlot& slot : copies.optimizer.slots) {
    slots.emplace_back(slot.values.begin(), slot.values.end());
    slot.values = slots.back();
  }
  trainer.step({});
  const std::filesystem::path checkpoint = write(copies);

  const comm::Communicator other_exchange = world.duplicate();
  step::Trainer resumed(world, other_exchange, config_, options_, samples);
  restore_trainer(world, checkpoint, checkpoint::read_training_state(checkpoint), resumed);
  EXPECT_EQ(resumed.steps_taken(), 1);
  EXPECT_EQ(hash(resumed), copies.weights_hash);
  resumed.step({});
  EXPECT_EQ(hash(resumed), hash(trainer));
}

TEST_F(TrainerTest, OutliersChangeNothingAndAreRemembered) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  const comm::Communicator exchange = world.duplicate();
  options_.skip_outliers = true;
  step::Trainer trainer(world, exchange, config_, options_, samples);
  const auto levels = [](double loss, double gradient) {
    return step::RecentSteps{step::RecentValues(std::vector<double>(step::RecentValues::kMost, loss)),
                             step::RecentValues(std::vector<double>(step::RecentValues::kMost, gradient))};
  };
  const std::string before = hash(trainer);
  trainer.set_recent_steps(levels(1, 1e9));
  const step::StepOutcome loss = trainer.step({});
  EXPECT_EQ(loss.status, step::StepStatus::outlier_loss);
  EXPECT_EQ(loss.outlier_limit, 1);
  EXPECT_EQ(trainer.recent_steps().losses.values().back(), loss.loss_nats);
  EXPECT_EQ(trainer.recent_steps().gradient_norms.values().back(), loss.gradient_norm);
  trainer.set_recent_steps(levels(1e9, 1e-9));
  EXPECT_EQ(trainer.step({}).status, step::StepStatus::outlier_gradient);
  EXPECT_EQ(hash(trainer), before);
  EXPECT_EQ(trainer.steps_taken(), 0);

  trainer.set_recent_steps(levels(1e9, 1e9));
  EXPECT_EQ(trainer.step({}).status, step::StepStatus::updated);
  const std::filesystem::path checkpoint = save(trainer);
  const std::vector<double> losses = trainer.recent_steps().losses.values();
  EXPECT_EQ(losses.front(), 1e9);
  EXPECT_LT(losses.back(), 1e2);
  trainer.set_recent_steps({});
  restore_trainer(world, checkpoint, checkpoint::read_training_state(checkpoint), trainer);
  EXPECT_EQ(trainer.recent_steps().losses.values(), losses);
}

TEST_F(TrainerTest, WhatIsNotFiniteIsNotSaved) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  const comm::Communicator exchange = world.duplicate();
  step::Trainer trainer(world, exchange, config_, options_, samples);
  trainer.step({});
  const auto expect_refusal = [&](float& value, float poison, const std::string& what) {
    const float before = std::exchange(value, poison);
    try {
      save(trainer);
      ADD_FAILURE() << "no error";
    } catch (const failure::AgreedError& error) {
      EXPECT_EQ(error.code(), failure::ExitCode::bad_data);
      EXPECT_NE(std::string(error.what()).find("after step 1 " + what + " not finite"), std::string::npos)
          << error.what();
    }
    value = before;
    EXPECT_TRUE(models::list_checkpoints(folder_ / "run").empty());
  };
  expect_refusal(trainer.parameters().data()[trainer.table().arena_size() / 2], NAN, "weights are");
  float unused = 0;  // of all ranks but the last
  optimizer::OwnedState state = trainer.optimizer().state();
  const bool last = world.rank() == world.size() - 1;
  expect_refusal(last ? state.slots[1].values.back() : unused, last ? INFINITY : 0, "the optimizer's second_moment is");
  world.barrier();
  save(trainer);
}

TEST_F(TrainerTest, StateOfAnotherOptimizerIsRefused) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  const comm::Communicator exchange = world.duplicate();
  step::Trainer trainer(world, exchange, config_, options_, samples);
  checkpoint::Snapshot other = snapshot(trainer);
  other.optimizer.slots[1].name = "momentum";
  const std::filesystem::path checkpoint = write(other);
  try {
    restore_trainer(world, checkpoint, checkpoint::read_training_state(checkpoint), trainer);
    ADD_FAILURE() << "no error";
  } catch (const failure::AgreedError& error) {
    EXPECT_EQ(error.code(), failure::ExitCode::bad_data);
    const std::string message = error.what();
    EXPECT_NE(message.find("optimizer-00000.h5' holds the state first_moment, momentum, this run has first_moment, "
                           "second_moment"),
              std::string::npos)
        << message;
  }
}

TEST_F(TrainerTest, ALaneAddsUpItsMicroBatches) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  options_.lanes = world.size();
  options_.batches = windows::BatchSizes(6 * world.size());
  std::vector<step::StepOutcome> outcomes;
  for (const std::int64_t micro_batch : {6, 2}) {  // one a lane, three a lane
    options_.micro_batch = micro_batch;
    const comm::Communicator exchange = world.duplicate();
    outcomes.push_back(step::Trainer(world, exchange, config_, options_, samples).step({}));
  }
  EXPECT_NEAR(outcomes[1].loss_nats, outcomes[0].loss_nats, 1e-6);
  EXPECT_NEAR(outcomes[1].gradient_norm / outcomes[0].gradient_norm, 1.0, 1e-5);
}

class TrainerOfAStage : public TrainerTest, public testing::WithParamInterface<exchange::ZeroStage> {};
INSTANTIATE_TEST_SUITE_P(Stages, TrainerOfAStage, testing::Values(exchange::ZeroStage::one, exchange::ZeroStage::two));

/// Each step of a ramp is that of a trainer that has always had this batch and was put there.
TEST_P(TrainerOfAStage, EachStepOfARampTakesTheWholeOfItsBatch) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  options_.lanes = 4;
  options_.zero_stage = GetParam();
  step::TrainerOptions growing = options_;
  growing.batches = windows::BatchSizes(10, windows::BatchRamp{.start = 2, .increment = 4, .samples = 8});
  const comm::Communicator exchange = world.duplicate();
  step::Trainer trainer(world, exchange, config_, growing, samples);
  std::int64_t taken = 0;
  for (const std::int64_t batch : {2, 2, 6, 10, 10}) {
    const std::vector<float> weights(trainer.parameters().span().begin(), trainer.parameters().span().end());
    options_.batches = windows::BatchSizes(batch);
    const comm::Communicator other_exchange = world.duplicate();
    step::Trainer steady(world, other_exchange, config_, options_, samples);
    std::copy(weights.begin(), weights.end(), steady.parameters().data());
    steady.set_progress(trainer.steps_taken(), trainer.samples_consumed());
    const step::StepOutcome expected = steady.step({});
    const step::StepOutcome outcome = trainer.step({});
    EXPECT_EQ(outcome.tokens, batch * config_.sequence_length);
    EXPECT_EQ(outcome.loss_nats, expected.loss_nats);
    EXPECT_EQ(outcome.gradient_norm, expected.gradient_norm);
    taken += batch;
    EXPECT_EQ(trainer.samples_consumed(), static_cast<std::uint64_t>(taken));
  }
}

/// Stage 2 adds what stage 1 does where each lane has one micro-batch: then steps have the same bits.
TEST_F(TrainerTest, StagesAgreeWhereEachLaneHasOneMicroBatch) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  for (const std::int64_t batch : {16, 32}) {
    options_.batches = windows::BatchSizes(batch);
    std::vector<std::string> hashes;
    for (const exchange::ZeroStage stage : {exchange::ZeroStage::one, exchange::ZeroStage::two}) {
      options_.zero_stage = stage;
      const comm::Communicator exchange = world.duplicate();
      step::Trainer trainer(world, exchange, config_, options_, samples);
      for (int step = 0; step < 2; ++step) trainer.step({});
      hashes.push_back(hash(trainer));
    }
    EXPECT_EQ(hashes[0] == hashes[1], batch == 16) << batch << " sequences";
  }
}

TEST_F(TrainerTest, StopTravelsFromAnyRankToAll) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  const comm::Communicator exchange = world.duplicate();
  step::Trainer trainer(world, exchange, config_, options_, samples);
  EXPECT_FALSE(trainer.step({}).requests.stop);
  EXPECT_TRUE(trainer.step({.stop = world.rank() == world.size() - 1}).requests.stop);
}

/// The bits of this rank's optimizer state.
std::vector<float> state_of(step::Trainer& trainer) {
  std::vector<float> values;
  for (const auto& slot : trainer.optimizer().state().slots) {
    values.insert(values.end(), slot.values.begin(), slot.values.end());
  }
  return values;
}

TEST_F(TrainerTest, AStepThatIsNotFiniteLeavesTheTrainerWhereItWas) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  const comm::Communicator exchange = world.duplicate();
  const comm::Communicator other_exchange = world.duplicate();
  step::Trainer spared(world, other_exchange, config_, options_, samples);
  step::Trainer trainer(world, exchange, config_, options_, samples);
  EXPECT_EQ(trainer.step({}).status, step::StepStatus::updated);
  spared.step({});
  const std::vector<float> weights(trainer.parameters().span().begin(), trainer.parameters().span().end());
  const auto part = [&](const char* name) {
    const model::shape::ParameterRange range = trainer.table().find(name).range();
    return trainer.parameters().span().subspan(static_cast<std::size_t>(range.begin),
                                               static_cast<std::size_t>(range.end - range.begin));
  };
  const auto expect_outcome = [&](step::StepStatus status, std::int64_t nonfinite_tokens, const std::string& why) {
    SCOPED_TRACE(why);
    const std::string poisoned = hash(trainer);
    const std::vector<float> state = state_of(trainer);
    const step::StepOutcome outcome = trainer.step({.stop = world.rank() == 0});
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.step, 2);
    EXPECT_EQ(outcome.nonfinite_tokens, nonfinite_tokens);
    EXPECT_EQ(outcome.tokens, 160 - nonfinite_tokens);
    EXPECT_TRUE(outcome.requests.stop);
    EXPECT_EQ(trainer.steps_taken(), 1);
    EXPECT_EQ(trainer.samples_consumed(), 10U);
    EXPECT_EQ(hash(trainer), poisoned);
    EXPECT_EQ(state_of(trainer), state);
    EXPECT_EQ(step::describe_failure(outcome), why);
    std::copy(weights.begin(), weights.end(), trainer.parameters().data());
  };
  part("final_norm.weight")[3] = NAN;
  expect_outcome(step::StepStatus::nonfinite_loss, 160, "the loss of 160 of 160 tokens is not finite");
  // So large before the activation that its derivative is no number, and so small behind it that the loss is.
  for (float& weight : part("layers.1.feed_forward.up.weight")) weight *= 1e22F;
  for (float& weight : part("layers.1.feed_forward.down.weight")) weight *= 1e-24F;
  expect_outcome(step::StepStatus::nonfinite_gradient, 0, "the gradient's norm is not finite");

  const step::StepOutcome outcome = trainer.step({});
  EXPECT_EQ(outcome.status, step::StepStatus::updated);
  EXPECT_EQ(outcome.loss_nats, spared.step({}).loss_nats);
  EXPECT_EQ(hash(trainer), hash(spared));
  EXPECT_EQ(state_of(trainer), state_of(spared));

  // Passed over, its samples are not used again: as in a trainer that was put there.
  trainer.pass_over();
  EXPECT_EQ(trainer.steps_taken(), 3);
  EXPECT_EQ(trainer.samples_consumed(), 30U);
  spared.set_progress(3, 30);
  EXPECT_EQ(trainer.step({}).loss_nats, spared.step({}).loss_nats);
  EXPECT_EQ(hash(trainer), hash(spared));
}

TEST_F(TrainerTest, ModelIsLoadedFromACheckpointOrARunsHighestIntactOne) {
  const comm::Communicator& world = tests::world();
  const io::tokens::DataSet data = io::tokens::DataSet::open(folder_);
  const windows::PermutedWindows samples(windows::Windows(data, config_.sequence_length), options_.seed);
  const comm::Communicator exchange = world.duplicate();
  step::Trainer trainer(world, exchange, config_, options_, samples);
  trainer.step({});
  const std::filesystem::path first = save(trainer);
  const std::string first_hash = hash(trainer);
  trainer.step({});
  const std::filesystem::path second = save(trainer);

  const models::LoadedModel loaded = models::load_model(folder_ / "run");
  EXPECT_EQ(loaded.step, 2);
  EXPECT_EQ(loaded.folder, second);
  EXPECT_EQ(loaded.config, config_);
  EXPECT_EQ(loaded.tokenizer_fingerprint, "fingerprint");
  EXPECT_EQ(loaded.weights_hash, hash(trainer));
  EXPECT_EQ(std::memcmp(loaded.parameters.data(), trainer.parameters().data(), loaded.parameters.span().size_bytes()),
            0);
  EXPECT_EQ(models::load_model(first).weights_hash, first_hash);
  world.barrier();

  damage(second / "model.h5");
  EXPECT_EQ(models::load_model(folder_ / "run").step, 1);
  EXPECT_THROW(models::load_model(second), io::Error);
  EXPECT_THROW(models::load_model(folder_ / "nowhere"), io::Error);
  EXPECT_THROW(models::load_model(folder_), io::Error);
  world.barrier();

  damage(first / "model.h5");
  EXPECT_THROW(models::load_model(folder_ / "run"), io::Error);
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain
