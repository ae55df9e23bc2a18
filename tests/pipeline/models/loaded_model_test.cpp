// Reading a run's highest checkpoint while the run goes on.
#include "pipeline/models/loaded_model.h"
#include "pipeline/models/checkpoint_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/error.h"
#include "model/shape/initialise.h"
#include "model/shape/parameters.h"
#include "pipeline/failure/error.h"
#include "tests/support/made_checkpoint.h"
#include "tests/support/mpi_world.h"

namespace chainrule::pipeline::models {
namespace {

using tests::world;

/// A folder that all ranks see.
std::filesystem::path shared_folder() {
  const std::string name = "chainrule-checkpoint-" + std::to_string(::getpid());
  return std::filesystem::temp_directory_path() / world().broadcast(name);
}

class CheckpointOfARun : public testing::Test {
 protected:
  CheckpointOfARun() {
    config_.layers = 1;
    config_.heads = 1;
    config_.width = 8;
    config_.feed_forward_width = 16;
    config_.vocabulary_size = 300;
    config_.sequence_length = 8;
    if (world().rank() == 0) write(1);
    world().barrier();
  }
  ~CheckpointOfARun() override {
    world().barrier();
    if (world().rank() == 0) std::filesystem::remove_all(run_);
  }

  void write(std::int64_t step) const {
    const model::shape::ParameterTable table(config_);
    model::Arena arena(table.arena_size());
    model::shape::initialise(config_, table, static_cast<std::uint64_t>(step), arena.span());
    tests::write_checkpoint(checkpoint_folder(run_, step), {config_, arena.span(), step, "fingerprint"});
  }

  /// As pretrain with --keep-checkpoints 1: the new one first.
  void replace(std::int64_t step) const {
    write(step + 1);
    std::filesystem::remove_all(checkpoint_folder(run_, step));
  }

  std::filesystem::path run_ = shared_folder();
  model::shape::Config config_;
};

[[noreturn]] void fail_to_read() { throw io::Error(io::ErrorKind::missing_input, "the tokenizer is gone"); }

TEST_F(CheckpointOfARun, OneThatIsDeletedWhileItIsReadGivesWayToItsSuccessor) {
  if (world().rank() != 0) return;
  std::vector<std::int64_t> tried;
  const LoadedModel loaded = load_model(run_, [&](const LoadedModel& model) {
    tried.push_back(model.step);
    if (tried.size() > 2) return;
    replace(model.step);
    fail_to_read();
  });
  EXPECT_THAT(tried, testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(loaded.step, 3);
}

TEST_F(CheckpointOfARun, ADamagedOneIsPassedOverWhereNoNewerOneCame) {
  if (world().rank() != 0) return;
  write(2);
  const LoadedModel loaded = load_model(run_, [](const LoadedModel& model) {
    if (model.step == 2) fail_to_read();
  });
  EXPECT_EQ(loaded.step, 1);
  EXPECT_THROW(load_model(run_, [](const LoadedModel&) { fail_to_read(); }), io::Error);
}

TEST_F(CheckpointOfARun, EveryRankReadsTheFirstOnesChoice) {
  const LoadedModel loaded = load_same_model(world(), run_, [&](const LoadedModel& model) {
    // A newer one comes as soon as rank 0 has read its own.
    if (world().rank() == 0 && model.step == 1) write(2);
  });
  EXPECT_EQ(loaded.step, 1);
}

TEST_F(CheckpointOfARun, AChoiceThatIsGoneBeforeTheOthersReadItIsMadeAgain) {
  const LoadedModel loaded = load_same_model(world(), run_, [&](const LoadedModel& model) {
    if (world().rank() == 0 && model.step == 1) replace(1);
  });
  EXPECT_EQ(loaded.step, world().size() == 1 ? 1 : 2);
}

TEST_F(CheckpointOfARun, AFailureThatNoNewerOneMendsIsAgreedOn) {
  EXPECT_THROW(load_same_model(world(), run_,
                               [](const LoadedModel&) {
                                 if (world().rank() + 1 == world().size()) fail_to_read();
                               }),
               failure::AgreedError);
}

}  // namespace
}  // namespace chainrule::pipeline::models
