#include "pipeline/models/loaded_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/tensors/manifest.h"
#include "model/shape/parameters.h"
#include "pipeline/comm/session.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/models/checkpoint_weights.h"
#include "pipeline/models/model_description.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::models {
namespace {

/// All but the weights.
LoadedModel described_by(const std::filesystem::path& folder, const ModelDescription& description) {
  LoadedModel loaded;
  loaded.config = description.config;
  loaded.folder = folder;
  loaded.load_tokenizer = [folder] { return io::tokenizer::Tokenizer::load(folder / "tokenizer.json"); };
  loaded.tokenizer_fingerprint = description.tokenizer_fingerprint;
  loaded.step = description.step;
  return loaded;
}

ModelDescription verified_description(const std::filesystem::path& folder) {
  const io::tensors::Manifest manifest = io::tensors::Manifest::read(folder);
  for (const char* name : {"model.json", "tokenizer.json"}) manifest.verify(name);
  return read_model_description(folder / "model.json");
}

/// The mean of a run's checkpoints of steps that rise. Its name is the one by which other ranks find the same.
LoadedModel load_mean(const std::filesystem::path& run, const std::vector<std::int64_t>& steps,
                      const CheckpointReader& also) {
  std::vector<std::filesystem::path> folders;
  for (const std::int64_t step : steps) folders.push_back(checkpoint_folder(run, step));
  const ModelDescription newest = verified_description(folders.back());
  for (const std::filesystem::path& folder : folders) {
    const ModelDescription each = verified_description(folder);
    if (each.config == newest.config && each.tokenizer_fingerprint == newest.tokenizer_fingerprint) continue;
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}' is of another model or tokenizer than '{}': they have "
                                                         "no mean",
                                                         folder.string(), folders.back().string()));
  }
  LoadedModel loaded = described_by(folders.back(), newest);
  loaded.parameters = read_mean(folders, model::shape::ParameterTable(newest.config));
  loaded.folder = mean_path(run, steps);
  loaded.average = loaded.folder.filename().string();
  loaded.weights_hash = hash_of(loaded.parameters.span());
  if (also) also(loaded);
  return loaded;
}

void pass_over(std::int64_t step, const io::Error& why) {
  if (comm::launched_rank() == 0) run::warn(fmt::format("{}; passing over step {}", why.what(), step));
}

/// Steps of the newest `count` of these places that their manifests vouch for, ascending.
std::vector<std::int64_t> newest_intact(const std::filesystem::path& run, const std::vector<CheckpointPlace>& places,
                                        std::size_t count) {
  std::vector<std::int64_t> steps;
  for (std::size_t i = 0; i < places.size() && steps.size() < count; ++i) {
    try {
      io::tensors::Manifest::read(places[i].folder).verify("model.h5");
      verified_description(places[i].folder);
      steps.push_back(places[i].step);
    } catch (const io::Error& error) {
      if (has_newer(run, places.front().step)) throw;
      pass_over(places[i].step, error);
    }
  }
  if (steps.size() < count) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("last:{} asks for {} checkpoints, and '{}' has {} that are intact (pretrain "
                                "--keep-checkpoints keeps more)",
                                count, count, run.string(), steps.size()));
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

LoadedModel load_last(const std::filesystem::path& run, std::size_t count, const CheckpointReader& also) {
  for (;;) {
    const std::vector<CheckpointPlace> places = list_checkpoints(run);
    try {
      return load_mean(run, newest_intact(run, places, count), also);
    } catch (const io::Error&) {
      // A run that goes on may have deleted one of them, and has a newer one then.
      if (places.empty() || !has_newer(run, places.front().step)) throw;
    }
  }
}

}  // namespace

LoadedModel load_checkpoint(const std::filesystem::path& folder, Which which, const CheckpointReader& also) {
  const ModelDescription description = verified_description(folder);
  const model::shape::ParameterTable table(description.config);
  LoadedModel loaded = described_by(folder, description);
  if (which == Which::average) {
    loaded.parameters = read_average(folder, description, table);
    loaded.average = description.average->rule;
    loaded.weights_hash = hash_of(loaded.parameters.span());
    loaded.folder = kept_average_path(folder);
  } else {
    loaded.parameters = read_weights(folder, description, table);
    loaded.weights_hash = description.weights_hash;
  }
  if (also) also(loaded);
  return loaded;
}

LoadedModel load_highest(const std::filesystem::path& run, Which which, const CheckpointReader& also) {
  std::vector<CheckpointPlace> places = list_checkpoints(run);
  if (places.empty()) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("the run directory '{}' has no checkpoint yet", run.string()));
  }
  std::int64_t highest = places.front().step;
  for (std::size_t i = 0; i < places.size();) {
    try {
      return load_checkpoint(places[i].folder, which, also);
    } catch (const io::Error& error) {
      // A run writes its next checkpoint before it deletes this one.
      std::vector<CheckpointPlace> now = list_checkpoints(run);
      if (!now.empty() && now.front().step > highest) {
        places = std::move(now);
        highest = places.front().step;
        i = 0;
        continue;
      }
      if (i + 1 == places.size()) throw;
      pass_over(places[i].step, error);
      ++i;
    }
  }
  throw std::logic_error("no checkpoint was tried");
}

LoadedModel load_average(const AverageName& name, const CheckpointReader& also) {
  if (name.kind == AverageName::Kind::last) return load_last(name.of, name.count, also);
  if (name.kind == AverageName::Kind::mean) return load_mean(name.of, name.steps, also);
  if (io::files::is_there(name.of / io::tensors::kManifestName)) return load_checkpoint(name.of, Which::average, also);
  return load_highest(name.of, Which::average, also);
}

bool has_newer(const std::filesystem::path& run, std::int64_t step) {
  const std::vector<CheckpointPlace> places = list_checkpoints(run);
  return !places.empty() && places.front().step > step;
}

}  // namespace chainrule::pipeline::models
