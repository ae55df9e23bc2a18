#include "pipeline/models/loaded_model.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "io/tensors/manifest.h"
#include "model/shape/parameters.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/average_name.h"
#include "pipeline/models/config_json.h"
#include "pipeline/models/external/external_model.h"
#include "pipeline/models/loaded_checkpoint.h"

namespace chainrule::pipeline::models {
namespace {

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

/// The run from which a newer checkpoint may come.
std::filesystem::path run_of(const std::filesystem::path& path) {
  const auto average = parse_average_name(path);
  return average ? average->of : path;
}

/// No where it cannot be seen: then the failure is told that asked for it.
bool may_have_newer(const std::filesystem::path& run, std::int64_t step) {
  try {
    return has_newer(run, step);
  } catch (const io::Error&) {
    return false;
  }
}

}  // namespace

model::weights::Weights LoadedModel::weights() const {
  return stored ? model::weights::Weights(*stored) : model::weights::Weights(parameters.span());
}

LoadedModel load_model(const std::filesystem::path& path, const CheckpointReader& also) {
  if (const auto average = parse_average_name(path)) return load_average(*average, also);
  if (!io::files::is_there(path)) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("no model at '{}': no such file or folder", path.string()));
  }
  if (io::files::is_there(path / io::tensors::kManifestName) || io::files::is_there(path / "model.json")) {
    return load_checkpoint(path, Which::weights, also);
  }
  if (auto external = external::open_external_model(path)) return load_external(std::move(*external), also);
  if (io::files::presence_of(path / "checkpoints") == io::files::Presence::folder) {
    return load_highest(path, Which::weights, also);
  }
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
      const bool newer = communicator.rank() == 0 && may_have_newer(run_of(path), model->step);
      if (attempt == kAttempts || communicator.maximum(newer ? 1 : 0) == 0) throw;
      failed = error;
      before = chosen;
    }
  }
}

}  // namespace chainrule::pipeline::models
