#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/files/atomic_file.h"
#include "io/tokens/data_set.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/models/model_description.h"
#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/pretrain/step/trainer.h"
#include "pipeline/pretrain/trainer_state.h"
#include "tests/support/made_data_set.h"
#include "tests/support/mpi_world.h"

namespace chainrule::pipeline::pretrain {

/// A small data set in a folder that all ranks see, a model to train on it, and its checkpoints.
class TrainerTest : public testing::Test {
 protected:
  TrainerTest() {
    // One folder for all ranks, made by the first.
    std::string name = "chainrule-trainer-" + std::to_string(::getpid());
    name = tests::world().broadcast(name);
    folder_ = std::filesystem::temp_directory_path() / name;
    comm::agree_on_first(tests::world(), [&] {
      tests::MadeDataSet set;
      set.shards = {{{.tokens = std::vector<std::uint32_t>(300, 7)}}};
      for (std::uint32_t i = 0; i < 300; ++i) set.shards[0][0].tokens[i] = i * i % 89;
      tests::write_data_set(folder_, set);
    });
    config_ = {
        .layers = 2, .heads = 2, .width = 64, .feed_forward_width = 256, .vocabulary_size = 100, .sequence_length = 16};
    options_.micro_batch = 2;
    options_.batches = windows::BatchSizes(10);
    options_.schedule = {.learning_rate = 1e-3, .minimum_learning_rate = 1e-4, .warmup_steps = 1, .steps = 10};
    options_.clip_norm = 1;
  }
  ~TrainerTest() override {
    tests::world().barrier();
    if (tests::world().rank() == 0) std::filesystem::remove_all(folder_);
  }

  std::string hash(const step::Trainer& trainer) {
    return models::hash_of(const_cast<step::Trainer&>(trainer).parameters().span());
  }

  std::filesystem::path save(step::Trainer& trainer) { return write(snapshot(trainer)); }

  checkpoint::Snapshot snapshot(step::Trainer& trainer) {
    checkpoint::TrainingState state;
    state.step = trainer.steps_taken();
    state.samples_consumed = trainer.samples_consumed();
    state.arena_layout = models::arena_layout(trainer.table());
    const std::string weights_hash =
        checkpoint::agreed_weights_hash(tests::world(), trainer.parameters().span(), state.step);
    return snapshot_of(trainer, state, weights_hash);
  }

  std::filesystem::path write(const checkpoint::Snapshot& snapshot) {
    const checkpoint::CheckpointContext context{folder_ / "run", io::files::read_file(folder_ / "tokenizer.json"),
                                                "fingerprint", 2};
    checkpoint::write_checkpoint(tests::world(), context, snapshot);
    return models::checkpoint_folder(context.run, snapshot.state.step);
  }

  void damage(const std::filesystem::path& file) {
    comm::agree_on_first(tests::world(), [&] {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekp(5000);
      stream.put('\x55');
      stream.put('\x2a');
    });
  }

  std::filesystem::path folder_;
  model::shape::Config config_;
  step::TrainerOptions options_;
};

}  // namespace chainrule::pipeline::pretrain
