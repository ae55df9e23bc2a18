#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/shape/config.h"
#include "model/shape/parameters.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/checkpoint/training_state.h"
#include "pipeline/pretrain/optimizer/optimizer.h"

namespace chainrule::pipeline::pretrain::checkpoint {

/// What a checkpoint holds of this rank: views of the memory that the run works on, or of copies of it, that stay as
/// they are until it is written.
struct Snapshot {
  model::shape::Config config;
  const model::shape::ParameterTable* table = nullptr;
  std::span<const float> parameters;  ///< [arena], the same on every rank
  optimizer::OwnedState optimizer;
  optimizer::OwnedState average;  ///< of the weights; no slots: none is kept
  TrainingState state;
  std::string weights_hash;       ///< of the parameters
  std::string average_rule = {};  ///< how the average is made, as in model.json
};

/// Where a checkpoint is read to.
struct Restored {
  const model::shape::ParameterTable* table = nullptr;
  std::span<float> parameters;  ///< [arena]
  optimizer::OwnedState optimizer;
  optimizer::OwnedState average;  ///< no slots: not to be read
};

/// Everything else that a checkpoint needs.
struct CheckpointContext {
  std::filesystem::path run;
  std::string tokenizer_json;  ///< the text of its tokenizer.json
  std::string tokenizer_fingerprint;
  std::int64_t keep = 2;        ///< newest checkpoints that stay
  std::int64_t keep_every = 0;  ///< those of steps that it divides stay, too; 0: none
  /// What a mix has taken from each source, of so many samples; empty where there is no mix.
  std::function<std::vector<SourceState>(std::uint64_t samples_consumed)> sources = {};
  /// Becomes part of the names of what is not whole, the same on every rank: a run that was taken over from this
  /// process never writes there.
  std::string mark = {};
  /// On rank 0: throws where the run is not this process's any more. May be asked by any thread.
  std::function<void()> require_hold = [] {};
};

/// Hash of the weights, which must be the same on every rank: a rank that holds others throws. Collective.
std::string agreed_weights_hash(const comm::Communicator& communicator, std::span<const float> parameters,
                                std::int64_t step);

/// Writes run/checkpoints/step-N beside its place, verifies it and renames it there; then deletes all but those
/// that stay. Throws AgreedError, bad_data where weights or optimizer state are not finite:
/// that is never written. Collective.
void write_checkpoint(const comm::Communicator& communicator, const CheckpointContext& context,
                      const Snapshot& snapshot);

/// Deletes what is left of checkpoints whose writing was cut short. The highest checkpoint of a run whose files are all
/// whole; every rank verifies its share of them. Damaged ones that were passed over are named on stderr and renamed to
/// step-N.damaged. Empty where there is none at all; throws AgreedError (bad_data), and leaves all as it is, where
/// there are only damaged ones. Collective.
std::optional<std::filesystem::path> find_intact_checkpoint(const comm::Communicator& communicator,
                                                            const std::filesystem::path& run);

/// The same of a run that is another's: nothing there is changed.
std::optional<std::filesystem::path> find_intact_checkpoint_of_another(const comm::Communicator& communicator,
                                                                       const std::filesystem::path& run);

/// Every rank verifies its share of a checkpoint's files, and that all see the same one. A rank that does not see it
/// yet waits some seconds for it. Throws AgreedError. Collective.
void require_intact(const comm::Communicator& communicator, const std::filesystem::path& checkpoint);

/// Reads the parameters and this rank's optimizer state and average of a checkpoint, whatever number of ranks wrote it;
/// state is what read_training_state() gave. Whether it keeps an average that was to be read. Throws AgreedError
/// (bad_data) where it is of another model or optimizer, or lacks elements. Collective.
bool restore(const comm::Communicator& communicator, const std::filesystem::path& checkpoint,
             const TrainingState& state, const Restored& into);

/// Whether a checkpoint keeps an average of its weights. Throws io::Error.
bool keeps_average(const std::filesystem::path& checkpoint);

/// What a checkpoint that keeps one has of it for these slices. Throws io::Error.
void read_average(const std::filesystem::path& checkpoint, std::int64_t arena_size, const optimizer::OwnedState& into);

}  // namespace chainrule::pipeline::pretrain::checkpoint
