#include "pipeline/pretrain/trainer_state.h"

#include <utility>

namespace chainrule::pipeline::pretrain {

step::TrainerOptions trainer_options(const PretrainOptions& options) {
  return {.micro_batch = options.micro_batch,
          .global_batch = options.global_batch,
          .lanes = options.lanes,
          .schedule = options.schedule,
          .adamw = options.adamw,
          .clip_norm = options.clip_norm,
          .seed = options.seed,
          .math = options.math,
          .skip_outliers = options.skip_outliers,
          .recompute = options.recompute};
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
          .state = std::move(all),
          .weights_hash = weights_hash};
}

void restore_trainer(const comm::Communicator& communicator, const std::filesystem::path& checkpoint,
                     const checkpoint::TrainingState& state, step::Trainer& trainer) {
  checkpoint::restore(
      communicator, checkpoint, state,
      {.table = &trainer.table(), .parameters = trainer.parameters().span(), .optimizer = trainer.optimizer().state()});
  trainer.set_progress(state.step, state.samples_consumed);
  trainer.set_recent_steps({step::RecentValues(state.recent_losses), step::RecentValues(state.recent_gradient_norms)});
}

}  // namespace chainrule::pipeline::pretrain
