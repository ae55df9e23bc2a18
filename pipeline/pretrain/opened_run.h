#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/run/configuration.h"
#include "pipeline/run/run_directory.h"

namespace chainrule::pipeline::pretrain {

/// Throws AgreedError (usage) where there are more ranks than lanes.
void check_lanes(std::int64_t lanes, int ranks);

/// The run directory in the hands of rank 0 (null on the others), and with what options the run was begun.
struct OpenedRun {
  std::unique_ptr<run::RunDirectory> directory;
  std::optional<run::Configuration> saved;  ///< config.cfg, the same on every rank; empty in a new run
  bool lanes_by_default = false;            ///< nobody asked for a number of them, and nobody did before
  std::string hold_id;                      ///< RunDirectory::hold_id(), the same on every rank
};

/// Opens the run. What it was begun with completes options and configuration: lanes and schedule, where nothing else is
/// asked. Throws AgreedError: cannot_create, usage where an option differs that may not. Collective.
OpenedRun open_run(const comm::Communicator& communicator, PretrainOptions& options, run::Configuration& configuration);

/// Completes options and configuration as open_run() does, for a dry run: touches nothing, and a run that another
/// process works on may be looked at. Throws as open_run() does. Collective.
OpenedRun look_at_run(const comm::Communicator& communicator, PretrainOptions& options,
                      run::Configuration& configuration);

/// The lanes that a run was begun with, from its config.cfg `saved`, which is the file `config`. Throws io::Error.
std::int64_t saved_lanes(const PretrainOptions& options, const run::Configuration& saved,
                         const std::filesystem::path& config, std::int64_t otherwise);
void use_lanes(std::int64_t lanes, PretrainOptions& options, run::Configuration& configuration);

/// Throws Error (usage) where an option of a branch is not its trunk's and may not differ.
void check_same_trunk(const run::Configuration& trunk, const run::Configuration& configuration);

}  // namespace chainrule::pipeline::pretrain
