#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/pretrain/step/trainer.h"

namespace chainrule::pipeline::pretrain {

/// The trainer of a run whose lanes are known, at step 0. The communicators and samples outlive it. Throws AgreedError.
/// Collective.
std::unique_ptr<step::Trainer> make_trainer(const comm::Communicator& communicator, const comm::Communicator& exchange,
                                            const model::shape::Config& config, const PretrainOptions& options,
                                            const windows::SampleSource& samples);

/// Views of the trainer's memory, for use until its next step; waits for parameters that are on their way. state is
/// what the run says of itself; weights_hash is of the parameters.
checkpoint::Snapshot snapshot_of(step::Trainer& trainer, const checkpoint::TrainingState& state,
                                 const std::string& weights_hash);

/// Puts the trainer where a checkpoint stands. Throws as checkpoint::restore() does. Collective.
void restore_trainer(const comm::Communicator& communicator, const std::filesystem::path& checkpoint,
                     const checkpoint::TrainingState& state, step::Trainer& trainer);

}  // namespace chainrule::pipeline::pretrain
