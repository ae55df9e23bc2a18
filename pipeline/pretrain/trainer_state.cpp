#include "pipeline/pretrain/trainer_state.h"

#include <utility>

#include "pipeline/comm/agreement.h"
#include "pipeline/pretrain/average_options.h"

namespace chainrule::pipeline::pretrain {
namespace {

step::TrainerOptions trainer_options(const PretrainOptions& options) {
  return {.micro_batch = options.micro_batch,
          .batches = batch_sizes(options),
          .lanes = options.lanes,
          .zero_stage = options.zero_stage,
          .schedule = options.schedule,
          .adamw = options.adamw,
          .clip_norm = options.clip_norm,
          .average_decay = options.average_decay,
          .z_loss = options.z_loss,
          .seed = options.seed,
          .math = options.math,
          .skip_outliers = options.skip_outliers,
          .recompute = options.recompute};
}

optimizer::OwnedState average_of(step::Trainer& trainer) {
  return trainer.average() != nullptr ? trainer.average()->state() : optimizer::OwnedState{};
}

}  // namespace

std::unique_ptr<step::Trainer> make_trainer(const comm::Communicator& communicator, const comm::Communicator& exchange,
                                            const model::shape::Config& config, const PretrainOptions& options,
                                            const windows::SampleSource& samples) {
  std::unique_ptr<step::Trainer> trainer;
  comm::agree(communicator, [&] {
    trainer = std::make_unique<step::Trainer>(communicator, exchange, config, trainer_options(options), samples);
  });
  return trainer;
}

checkpoint::Snapshot snapshot_of(step::Trainer& trainer, const checkpoint::TrainingState& state,
                                 const std::string& weights_hash) {
  checkpoint::TrainingState all = state;
  all.recent_losses = trainer.recent_steps().losses.values();
  all.recent_gradient_norms = trainer.recent_steps().gradient_norms.values();
  return {.config = trainer.decoder().config(),
          .table = &trainer.table(),
          .parameters = trainer.parameters().span(),
          .optimizer = trainer.optimizer().state(),
          .average = average_of(trainer),
          .state = std::move(all),
          .weights_hash = weights_hash,
          .average_rule = trainer.average() != nullptr ? average_rule(trainer.average()->decay()) : ""};
}

void restore_trainer(const comm::Communicator& communicator, const std::filesystem::path& checkpoint,
                     const checkpoint::TrainingState& state, step::Trainer& trainer) {
  const bool has_average = checkpoint::restore(communicator, checkpoint, state,
                                               {.table = &trainer.table(),
                                                .parameters = trainer.parameters().span(),
                                                .optimizer = trainer.optimizer().state(),
                                                .average = average_of(trainer)});
  if (!has_average) trainer.begin_average();
  trainer.set_progress(state.step, state.samples_consumed);
  trainer.set_recent_steps({step::RecentValues(state.recent_losses), step::RecentValues(state.recent_gradient_norms)});
}

}  // namespace chainrule::pipeline::pretrain
