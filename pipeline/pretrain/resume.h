#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/pretrain/inputs.h"
#include "pipeline/pretrain/opened_run.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/run/configuration.h"
#include "pipeline/run/environment.h"

namespace chainrule::pipeline::pretrain {

/// Where training goes on: at a checkpoint of this run, or of the run that it branches off from.
struct Place {
  std::filesystem::path checkpoint;
  checkpoint::TrainingState state;
};

/// Throws io::Error (bad_data) unless a checkpoint's step is its folder's in this run, and its samples are those of its
/// steps and of those that the run went back over.
void check_progress(const Place& place, const std::filesystem::path& run, const PretrainOptions& options);

/// An average of weights that a checkpoint keeps goes on as it was made; where it keeps none one may begin. Only a
/// branch may leave its trunk's behind: this run's would be lost. Throws Error (usage), io::Error.
void check_average(const std::filesystem::path& checkpoint, const PretrainOptions& options, bool is_branch);

/// The run's last intact checkpoint; with --decay-now in a run without one, that of --init, whose schedule then ends
/// --decay-steps behind it. Completes options and configuration. Empty in a new run. Throws AgreedError: bad_data;
/// usage where options contradict the run. Collective.
std::optional<Place> find_place(const comm::Communicator& communicator, const OpenedRun& opened,
                                PretrainOptions& options, run::Configuration& configuration,
                                const PretrainInputs& inputs);

/// For a dry run with --decay-now: where the branch that look_at_run() saw begins in the run of --init; completes
/// options and configuration. Throws AgreedError as find_place() does. Collective.
Place find_branch(const comm::Communicator& communicator, const OpenedRun& seen, PretrainOptions& options,
                  run::Configuration& configuration, const PretrainInputs& inputs);

/// Says where build, instruction set or threads are not those that the checkpoint was saved with. For one rank.
void warn_of_other_bits(const checkpoint::TrainingState& before, const run::Environment& now);

}  // namespace chainrule::pipeline::pretrain
