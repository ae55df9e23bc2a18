#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/atomic_output.h"
#include "io/files/json_text.h"
#include "io/files/published_folder.h"
#include "io/tensors/manifest.h"
#include "io/tensors/model_file.h"
#include "io/tensors/optimizer_file.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/models/checkpoint_weights.h"
#include "pipeline/models/model_description.h"
#include "pipeline/pretrain/checkpoint/file_names.h"
#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/pretrain/checkpoint/training_state.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::pretrain::checkpoint {
namespace {

namespace fs = std::filesystem;

/// An empty folder beside the checkpoint's place; what an earlier attempt left there goes.
void make_partial(const fs::path& partial) {
  std::error_code error;
  fs::remove_all(partial, error);
  io::files::make_folder(partial);
}

void write_model(const fs::path& partial, const CheckpointContext& context, const Snapshot& snapshot) {
  std::vector<io::tensors::NamedTensor> tensors;
  for (const model::shape::Parameter& parameter : snapshot.table->parameters()) {
    tensors.push_back({parameter.name, parameter.shape,
                       snapshot.parameters.subspan(static_cast<std::size_t>(parameter.offset),
                                                   static_cast<std::size_t>(parameter.size()))});
  }
  io::tensors::write_model_file(partial / "model.h5", tensors);
  io::files::write_file_atomically(partial / "tokenizer.json", context.tokenizer_json);
  models::ModelDescription description{snapshot.config, context.tokenizer_fingerprint, snapshot.weights_hash,
                                       snapshot.state.step};
  if (!snapshot.average.slots.empty()) description.average = {snapshot.average_rule, snapshot.state.arena_layout};
  models::write_model_description(partial / "model.json", description);
  TrainingState state = snapshot.state;
  if (context.sources) state.sources = context.sources(state.samples_consumed);
  write_training_state(partial / kStateName, state);
}

/// A file of what this rank owns of a state.
void write_owned(const fs::path& path, const optimizer::OwnedState& state) {
  std::vector<io::tensors::ElementRange> ranges;
  for (const auto& slice : state.slices) {
    ranges.push_back({static_cast<std::uint64_t>(slice.begin), static_cast<std::uint64_t>(slice.end)});
  }
  std::vector<io::tensors::OptimizerSlot> slots;
  for (const auto& slot : state.slots) slots.push_back({slot.name, slot.values});
  io::tensors::write_optimizer_file(path, ranges, slots);
}

bool all_finite(std::span<const float> values) {
  bool finite = true;
#pragma omp parallel for simd schedule(static) reduction(&& : finite)
  for (std::size_t i = 0; i < values.size(); ++i) finite = finite && std::isfinite(values[i]);
  return finite;
}

void require_finite(const Snapshot& snapshot) {
  const auto require = [&](const std::string& what, std::span<const float> values) {
    if (all_finite(values)) return;
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("after step {} {} not finite: that is not saved, and earlier checkpoints are intact",
                                snapshot.state.step, what));
  };
  require("weights are", snapshot.parameters);
  for (const auto& slot : snapshot.optimizer.slots)
    require(fmt::format("the optimizer's {} is", slot.name), slot.values);
  for (const auto& slot : snapshot.average.slots) require("the average of the weights is", slot.values);
}

std::vector<io::tensors::ManifestEntry> gathered(const comm::Communicator& communicator,
                                                 const std::vector<io::tensors::ManifestEntry>& mine) {
  nlohmann::json json = nlohmann::json::array();
  for (const auto& entry : mine) json.push_back({entry.name, entry.bytes, entry.xxh3_128});
  const std::string text = io::files::json_text(json);
  std::vector<io::tensors::ManifestEntry> all;
  for (const auto& bytes : communicator.gather(std::as_bytes(std::span(text)))) {
    const auto* characters = reinterpret_cast<const char*>(bytes.data());
    for (const auto& entry : io::files::parse_json({characters, bytes.size()})) {
      all.push_back({entry.at(0), entry.at(1), entry.at(2)});
    }
  }
  return all;
}

/// Deletes what is older than the newest checkpoints up to `written` that the run keeps, and not kept for good; one
/// that is further on is none of this run's doing and stays. A folder is renamed first, so that it is never taken for a
/// checkpoint while it goes, and the next start deletes what is left of it.
void prune(const CheckpointContext& context, std::int64_t written) {
  std::vector<models::CheckpointPlace> places = models::list_checkpoints(context.run);
  std::erase_if(places, [&](const models::CheckpointPlace& place) { return place.step > written; });
  for (std::size_t i = static_cast<std::size_t>(context.keep); i < places.size(); ++i) {
    if (context.keep_every != 0 && places[i].step % context.keep_every == 0) continue;
    std::error_code error;
    const fs::path going = places[i].folder.string() + kPartial;
    fs::remove_all(going, error);
    fs::rename(places[i].folder, going, error);
    if (!error) fs::remove_all(going, error);
    if (error) {
      run::warn(fmt::format("cannot delete the old checkpoint '{}': {}", places[i].folder.string(), error.message()));
    }
  }
}

}  // namespace

std::string agreed_weights_hash(const comm::Communicator& communicator, std::span<const float> parameters,
                                std::int64_t step) {
  const std::string mine = models::hash_of(parameters);
  const std::string first = communicator.broadcast(mine);
  comm::agree(communicator, [&] {
    if (mine != first) {
      throw failure::Error(
          failure::ExitCode::internal,
          fmt::format("after step {} the weights' hash is {} here and {} on rank 0", step, mine, first));
    }
  });
  return first;
}

void write_checkpoint(const comm::Communicator& communicator, const CheckpointContext& context,
                      const Snapshot& snapshot) {
  comm::agree(communicator, [&] { require_finite(snapshot); });
  const fs::path folder = models::checkpoint_folder(context.run, snapshot.state.step);
  const fs::path partial = folder.string() + (context.mark.empty() ? "" : "." + context.mark) + kPartial;
  try {
    comm::agree_on_first(communicator, [&] {
      // What was found damaged was set aside when the run began; anything else is somebody's checkpoint.
      io::files::require_absent(folder);
      make_partial(partial);
    });
    std::vector<io::tensors::ManifestEntry> mine;
    comm::agree(communicator, [&] {
      const auto write = [&](std::string_view files, const optimizer::OwnedState& state) {
        const fs::path path = partial / fmt::format("{}{:05}.h5", files, communicator.rank());
        write_owned(path, state);
        mine.push_back(io::tensors::describe_file(path));
      };
      write(kOptimizerFiles, snapshot.optimizer);
      if (!snapshot.average.slots.empty()) write(models::kAverageFiles, snapshot.average);
      if (communicator.rank() != 0) return;
      write_model(partial, context, snapshot);
      for (const char* name : {"model.json", "tokenizer.json", "model.h5", kStateName}) {
        mine.push_back(io::tensors::describe_file(partial / name));
      }
    });
    const std::vector<io::tensors::ManifestEntry> all = gathered(communicator, mine);
    comm::agree_on_first(communicator, [&] {
      io::tensors::Manifest(partial, all).write();
      context.require_hold();
      io::files::sync_path(partial);
      io::files::commit_rename(partial, folder);
      context.require_hold();
      prune(context, snapshot.state.step);
    });
  } catch (const failure::AgreedError&) {
    std::error_code error;
    if (communicator.rank() == 0) fs::remove_all(partial, error);
    // Whoever has taken the run over deletes what is not whole, and writes the same steps: then that is what to tell.
    comm::agree_on_first(communicator, [&] { context.require_hold(); });
    throw;
  }
}

}  // namespace chainrule::pipeline::pretrain::checkpoint
