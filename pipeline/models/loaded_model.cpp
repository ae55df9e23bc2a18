#include "pipeline/models/loaded_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "io/tensors/manifest.h"
#include "io/tensors/model_file.h"
#include "model/shape/parameters.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/models/config_json.h"
#include "pipeline/models/external/external_model.h"
#include "pipeline/models/model_description.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::models {
namespace {

/// Reads tensors straight into the arena, after all names and shapes were compared.
void read_parameters(const io::tensors::TensorSource& source, const model::shape::ParameterTable& table,
                     model::Arena& arena, const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}' {}", path.string(), why));
  };
  const std::vector<std::string> names = source.names();
  for (const model::shape::Parameter& parameter : table.parameters()) {
    if (!std::binary_search(names.begin(), names.end(), parameter.name)) {
      refuse(fmt::format("lacks the tensor '{}'", parameter.name));
    }
    if (source.shape(parameter.name) != parameter.shape) {
      refuse(fmt::format("has another shape for '{}' than model.json describes", parameter.name));
    }
  }
  if (names.size() != table.parameters().size()) refuse("has tensors that model.json does not describe");
  for (const model::shape::Parameter& parameter : table.parameters()) {
    source.read(
        parameter.name, 0,
        arena.span().subspan(static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.size())));
  }
}

LoadedModel load_checkpoint(const std::filesystem::path& folder, const CheckpointReader& also) {
  const io::tensors::Manifest manifest = io::tensors::Manifest::read(folder);
  for (const char* name : {"model.json", "tokenizer.json", "model.h5"}) manifest.verify(name);
  ModelDescription description = read_model_description(folder / "model.json");
  LoadedModel loaded;
  const model::shape::ParameterTable table(description.config);
  {
    const io::tensors::ModelFile file(folder / "model.h5");
    loaded.parameters = model::Arena(table.arena_size());
    read_parameters(file, table, loaded.parameters, folder / "model.h5");
  }
  loaded.weights_hash = hash_of(loaded.parameters.span());
  if (loaded.weights_hash != description.weights_hash) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("'{}': the weights' hash is {}, model.json says {}", folder.string(),
                                loaded.weights_hash, description.weights_hash));
  }
  loaded.config = description.config;
  loaded.folder = folder;
  loaded.load_tokenizer = [folder] { return io::tokenizer::Tokenizer::load(folder / "tokenizer.json"); };
  loaded.tokenizer_fingerprint = std::move(description.tokenizer_fingerprint);
  loaded.step = description.step;
  if (also) also(loaded);
  return loaded;
}

LoadedModel load_external(external::ExternalModel&& external, const CheckpointReader& also) {
  LoadedModel loaded;
  if (!external.load_tokenizer) {
    const std::filesystem::path beside = external.path.parent_path() / "tokenizer.json";
    if (!io::files::is_there(beside)) {
      throw io::Error(
          io::ErrorKind::missing_input,
          fmt::format("{} brings no tokenizer: put its tokenizer.json beside it", io::path_in_quotes(external.path)));
    }
    external.load_tokenizer = [beside] { return io::tokenizer::Tokenizer::load(beside); };
  }
  loaded.config = external.config;
  loaded.stored = external::weights_of(external);
  loaded.folder = external.path;
  loaded.load_tokenizer = external.load_tokenizer;
  const io::tokenizer::Tokenizer tokenizer = loaded.load_tokenizer();
  loaded.tokenizer_fingerprint = tokenizer.fingerprint();
  loaded.start_token = tokenizer.start_token();
  loaded.weights_hash = external::hash_of(*external.tensors, model::shape::ParameterTable(loaded.config), external.map);
  if (also) also(loaded);
  return loaded;
}

/// Whether the run has come further than step.
bool has_newer(const std::filesystem::path& run, std::int64_t step) {
  const std::vector<CheckpointPlace> places = list_checkpoints(run);
  return !places.empty() && places.front().step > step;
}

LoadedModel load_highest(const std::filesystem::path& run, const CheckpointReader& also) {
  std::vector<CheckpointPlace> places = list_checkpoints(run);
  if (places.empty()) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("the run directory '{}' has no checkpoint yet", run.string()));
  }
  std::int64_t highest = places.front().step;
  for (std::size_t i = 0; i < places.size();) {
    try {
      return load_checkpoint(places[i].folder, also);
    } catch (const io::Error& error) {
      // A run writes its next checkpoint before it deletes this one.
      if (has_newer(run, highest)) {
        places = list_checkpoints(run);
        highest = places.front().step;
        i = 0;
        continue;
      }
      if (i + 1 == places.size()) throw;
      if (comm::launched_rank() == 0) {
        run::warn(fmt::format("{}; passing over step {}", error.what(), places[i].step));
      }
      ++i;
    }
  }
  throw std::logic_error("no checkpoint was tried");
}

}  // namespace

model::weights::Weights LoadedModel::weights() const {
  return stored ? model::weights::Weights(*stored) : model::weights::Weights(parameters.span());
}

LoadedModel load_model(const std::filesystem::path& path, const CheckpointReader& also) {
  if (!io::files::is_there(path)) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("no model at '{}': no such file or folder", path.string()));
  }
  if (io::files::is_there(path / io::tensors::kManifestName) || io::files::is_there(path / "model.json")) {
    return load_checkpoint(path, also);
  }
  if (auto external = external::open_external_model(path)) return load_external(std::move(*external), also);
  if (io::files::presence_of(path / "checkpoints") == io::files::Presence::folder) return load_highest(path, also);
  throw io::Error(io::ErrorKind::missing_input,
                  fmt::format("'{}' is no checkpoint, run directory, Hugging Face folder, GGUF file or llm.c model",
                              path.string()));
}

LoadedModel load_same_model(const comm::Communicator& communicator, const std::filesystem::path& path,
                            const CheckpointReader& also) {
  constexpr int kAttempts = 5;
  std::string before;  // what rank 0 chose last
  std::optional<failure::AgreedError> failed;
  for (int attempt = 1;; ++attempt) {
    std::optional<LoadedModel> model;
    comm::agree_on_first(communicator, [&] { model = load_model(path, also); });
    const std::string chosen = communicator.broadcast(model ? model->folder.string() : std::string());
    if (failed && chosen == before) throw failure::AgreedError(*failed);
    try {
      comm::agree(communicator, [&] {
        if (!model) model = load_model(chosen, also);
      });
      comm::require_same(communicator, failure::ExitCode::bad_data, fmt::format("the weights of '{}'", chosen),
                         model->weights_hash);
      comm::require_same(communicator, failure::ExitCode::bad_data, fmt::format("the configuration of '{}'", chosen),
                         config_text(model->config));
      comm::require_same(communicator, failure::ExitCode::bad_data, fmt::format("the tokenizer of '{}'", chosen),
                         model->tokenizer_fingerprint);
      comm::require_same(communicator, failure::ExitCode::bad_data, fmt::format("the start token of '{}'", chosen),
                         model->start_token ? std::to_string(*model->start_token) : "end-of-text");
      return std::move(*model);
    } catch (const failure::AgreedError& error) {
      // The run may have deleted rank 0's choice before the others had read it: then rank 0 chooses a newer one. Where
      // it stands by its choice, the failure is what it seems.
      const bool newer = communicator.rank() == 0 && has_newer(path, model->step);
      if (attempt == kAttempts || communicator.maximum(newer ? 1 : 0) == 0) throw;
      failed = error;
      before = chosen;
    }
  }
}

}  // namespace chainrule::pipeline::models
