#pragma once
#include <optional>
#include <span>
#include <string>

#include "model/shape/config.h"
#include "model/shape/parameters.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/models/loaded_model.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/run/configuration.h"

namespace chainrule::pipeline::pretrain {

/// What a run with --init starts from; nothing in a run without.
struct Start {
  std::optional<model::shape::Config> config;  ///< of the model, with the sequence length that was asked for
  std::string tokenizer_fingerprint;
  std::optional<models::LoadedModel> model;  ///< its weights; none where the run has a checkpoint already
};

/// Where the run was begun with --init and is started again without it, takes that option from its config.cfg; writes
/// into configuration what --init leaves of it. Throws AgreedError. Collective.
void adopt_init(const comm::Communicator& communicator, PretrainOptions& options, run::Configuration& configuration);

/// The shape of a run with --init: of its newest checkpoint, or of the model, which is then read. Throws AgreedError
/// (usage: a sequence length that the model cannot have). Collective.
Start find_start(const comm::Communicator& communicator, const PretrainOptions& options);

/// arena [table.arena_size()] = the model's parameters in float32.
void copy_parameters(const models::LoadedModel& model, const model::shape::ParameterTable& table,
                     std::span<float> arena);

}  // namespace chainrule::pipeline::pretrain
