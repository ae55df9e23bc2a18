#include "pipeline/pretrain/trainer_state.h"

namespace chainrule::pipeline::pretrain {

checkpoint::Snapshot snapshot_of(step::Trainer& trainer, const checkpoint::TrainingState& state,
                                 const std::string& weights_hash) {
  return {.config = trainer.decoder().config(),
          .table = &trainer.table(),
          .parameters = trainer.parameters().span(),
          .optimizer = trainer.optimizer().state(),
          .state = state,
          .weights_hash = weights_hash};
}

void restore_trainer(const comm::Communicator& communicator, const std::filesystem::path& checkpoint,
                     const checkpoint::TrainingState& state, step::Trainer& trainer) {
  checkpoint::restore(
      communicator, checkpoint, state,
      {.table = &trainer.table(), .parameters = trainer.parameters().span(), .optimizer = trainer.optimizer().state()});
  trainer.set_progress(state.step, state.samples_consumed);
}

}  // namespace chainrule::pipeline::pretrain
