#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "io/tensors/manifest.h"
#include "io/tensors/optimizer_file.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/models/checkpoint_weights.h"
#include "pipeline/models/loaded_model.h"
#include "pipeline/models/model_description.h"
#include "pipeline/pretrain/checkpoint/file_names.h"
#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/pretrain/checkpoint/training_state.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::pretrain::checkpoint {
namespace {

namespace fs = std::filesystem;

/// Verifies every ranks-th file of the manifest, from the rank-th on.
void verify_share(const fs::path& checkpoint, int rank, int ranks) {
  const io::tensors::Manifest manifest = io::tensors::Manifest::read(checkpoint);
  for (const char* name : {"model.json", "tokenizer.json", "model.h5", kStateName}) {
    bool named = false;
    for (const auto& entry : manifest.entries()) named = named || entry.name == name;
    if (!named)
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("the manifest of '{}' does not name '{}'", checkpoint.string(), name));
  }
  for (auto i = static_cast<std::size_t>(rank); i < manifest.entries().size(); i += static_cast<std::size_t>(ranks)) {
    manifest.verify(manifest.entries()[i].name);
  }
}

/// Waits some seconds for a network file system to show a folder that rank 0 has seen.
void wait_to_see(const fs::path& folder) {
  constexpr int kLooks = 20;
  for (int look = 0; look < kLooks && !io::files::is_there(folder); ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

/// How rank 0 finds the whole checkpoint damaged; empty on every rank where it does not. Damage is what reading shows
/// on the rank that keeps the run's files: what another rank alone misses is that rank's view of them. Collective.
std::string damage_of(const comm::Communicator& communicator, const fs::path& checkpoint) {
  std::string damage;
  comm::agree_on_first(communicator, [&] {
    try {
      verify_share(checkpoint, 0, 1);
    } catch (const io::Error& error) {
      if (error.kind() != io::ErrorKind::bad_data) throw;
      damage = error.what();
    }
  });
  return communicator.broadcast(damage);
}

/// What is left of checkpoints whose writing was cut short.
void delete_partial_ones(const fs::path& run) {
  const fs::path folder = run / "checkpoints";
  if (io::files::presence_of(folder) != io::files::Presence::folder) return;
  for (const fs::path& entry : io::files::list_folder(folder)) {
    if (entry.extension() != kPartial || !entry.filename().string().starts_with("step-")) continue;
    std::error_code error;
    fs::remove_all(entry, error);
    if (error) run::warn(fmt::format("cannot delete {}: {}", io::path_in_quotes(entry), error.message()));
  }
}

void set_aside(const fs::path& checkpoint) {
  const fs::path aside = checkpoint.string() + ".damaged";
  std::error_code error;
  fs::remove_all(aside, error);  // the remains of the same step, damaged before
  io::files::commit_rename(checkpoint, aside);
}

/// A file may hold no other state than what is read.
void check_slots(const io::tensors::OptimizerFile& file, const std::string& name, const optimizer::OwnedState& state) {
  std::vector<std::string> wanted;
  for (const auto& slot : state.slots) wanted.push_back(slot.name);
  std::sort(wanted.begin(), wanted.end());
  if (file.slots() != wanted) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}' holds the state {}, this run has {}", name,
                                                         fmt::join(file.slots(), ", "), fmt::join(wanted, ", ")));
  }
}

/// The state of this rank's slices, from whichever of the files whose names begin so hold them.
void read_owned(const fs::path& checkpoint, std::string_view files, std::int64_t arena_size,
                const optimizer::OwnedState& state) {
  std::uint64_t missing = 0;
  for (const auto& slot : state.slots) missing += slot.values.size();
  const io::tensors::Manifest manifest = io::tensors::Manifest::read(checkpoint);
  for (const auto& entry : manifest.entries()) {
    if (!entry.name.starts_with(files)) continue;
    const fs::path path = checkpoint / entry.name;
    const io::tensors::OptimizerFile file(path);
    check_slots(file, path.string(), state);
    for (const io::tensors::ElementRange& range : file.ranges()) {
      if (range.end <= static_cast<std::uint64_t>(arena_size)) continue;
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("'{}' holds the state of elements up to {}, the model has {}", path.string(),
                                  range.end, arena_size));
    }
    std::size_t at = 0;
    for (const auto& slice : state.slices) {
      const auto elements = static_cast<std::size_t>(slice.end - slice.begin);
      for (const auto& slot : state.slots) {
        missing -= file.read(slot.name, static_cast<std::uint64_t>(slice.begin), slot.values.subspan(at, elements));
      }
      at += elements;
    }
  }
  if (missing != 0) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("'{}' lacks the state of some parameters in {}*", checkpoint.string(), files));
  }
}

}  // namespace

void require_intact(const comm::Communicator& communicator, const fs::path& checkpoint) {
  comm::agree(communicator, [&] {
    wait_to_see(checkpoint);
    verify_share(checkpoint, communicator.rank(), communicator.size());
  });
  std::string manifest;
  comm::agree(communicator, [&] { manifest = io::files::file_digest(checkpoint / io::tensors::kManifestName); });
  comm::require_same(communicator, failure::ExitCode::bad_data,
                     fmt::format("the manifest of '{}'", checkpoint.string()), manifest);
}

namespace {

/// Finds a run's newest intact checkpoint, the same on every rank; before rank 0 lists them it prepares. Of damaged
/// ones that are passed over, pass_over(folder, how it shows) is called on rank 0. Collective.
template <class Prepare, class PassOver>
std::optional<fs::path> newest_intact(const comm::Communicator& communicator, const fs::path& run,
                                      const Prepare& prepare, const PassOver& pass_over) {
  std::string listed;
  comm::agree_on_first(communicator, [&] {
    prepare();
    for (const models::CheckpointPlace& place : models::list_checkpoints(run))
      listed += fmt::format("{}\n", place.step);
  });
  std::istringstream steps(communicator.broadcast(listed));
  std::vector<std::pair<fs::path, std::string>> damaged;  // and how it shows
  for (std::int64_t step = 0; steps >> step;) {
    const fs::path candidate = models::checkpoint_folder(run, step);
    try {
      require_intact(communicator, candidate);
    } catch (const failure::AgreedError& error) {
      if (error.code() != failure::ExitCode::bad_data) throw;
      const std::string damage = damage_of(communicator, candidate);
      if (damage.empty()) throw;
      damaged.emplace_back(candidate, damage);
      continue;
    }
    comm::agree_on_first(communicator, [&] {
      for (const auto& [folder, damage] : damaged) pass_over(folder, damage);
    });
    return candidate;
  }
  if (damaged.empty()) return std::nullopt;
  throw failure::AgreedError(failure::ExitCode::bad_data,
                             fmt::format("no checkpoint of '{}' is intact: {}", run.string(), damaged.front().second));
}

}  // namespace

std::optional<fs::path> find_intact_checkpoint(const comm::Communicator& communicator, const fs::path& run) {
  return newest_intact(
      communicator, run, [&] { delete_partial_ones(run); },
      [](const fs::path& folder, const std::string& damage) {
        set_aside(folder);
        run::warn(
            fmt::format("{}; the checkpoint was renamed to '{}.damaged' and is not used", damage, folder.string()));
      });
}

std::optional<fs::path> find_intact_checkpoint_of_another(const comm::Communicator& communicator, const fs::path& run) {
  return newest_intact(
      communicator, run, [] {},
      [](const fs::path& folder, const std::string& damage) {
        run::warn(fmt::format("{}; '{}' is not gone on from", damage, folder.string()));
      });
}

bool keeps_average(const fs::path& checkpoint) {
  return models::read_model_description(checkpoint / "model.json").average.has_value();
}

void read_average(const fs::path& checkpoint, std::int64_t arena_size, const optimizer::OwnedState& into) {
  read_owned(checkpoint, models::kAverageFiles, arena_size, into);
}

bool restore(const comm::Communicator& communicator, const fs::path& checkpoint, const TrainingState& state,
             const Restored& into) {
  bool has_average = false;
  comm::agree(communicator, [&] {
    if (state.arena_layout != models::arena_layout(*into.table)) {
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("'{}' is of a model of other parameters", checkpoint.string()));
    }
    if (communicator.rank() == 0) {
      const models::LoadedModel loaded = models::load_model(checkpoint);
      if (loaded.parameters.size() != static_cast<std::int64_t>(into.parameters.size()) ||
          models::arena_layout(model::shape::ParameterTable(loaded.config)) != state.arena_layout) {
        throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}': model.json describes another model than {}",
                                                             checkpoint.string(), kStateName));
      }
      std::memcpy(into.parameters.data(), loaded.parameters.data(), loaded.parameters.span().size_bytes());
    }
    read_owned(checkpoint, kOptimizerFiles, into.table->arena_size(), into.optimizer);
    has_average = !into.average.slots.empty() && keeps_average(checkpoint);
    if (has_average) read_average(checkpoint, into.table->arena_size(), into.average);
  });
  communicator.broadcast(std::as_writable_bytes(into.parameters));
  return has_average;
}

}  // namespace chainrule::pipeline::pretrain::checkpoint
