#include "pipeline/pretrain/start.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/error.h"
#include "io/files/json_text.h"
#include "io/files/presence.h"
#include "io/tensors/manifest.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/models/config_json.h"
#include "pipeline/models/model_description.h"
#include "pipeline/models/parameter_values.h"
#include "pipeline/models/text_model.h"
#include "pipeline/run/run_directory.h"

namespace chainrule::pipeline::pretrain {
namespace {

using model::shape::Config;

/// The model's shape with a shorter context where that was asked for.
Config shortened(Config config, const PretrainOptions& options) {
  const std::int64_t asked = options.model.sequence_length;
  if (asked == 0 || asked == config.sequence_length) return config;
  const bool rotary = config.position_encoding == model::shape::PositionEncoding::rotary;
  if (!rotary || asked > config.sequence_length) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("option '--sequence-length': the model of --init has {} {}positions, not {}",
                                     config.sequence_length, rotary ? "" : "learned ", asked));
  }
  config.sequence_length = asked;
  return config;
}

/// The description of the run's model in the newest checkpoint where it is whole; empty where there are no checkpoints.
/// All of a run have the same. Says nothing of damaged ones: that is done where the one to go on from is looked for.
std::optional<models::ModelDescription> find_description(const std::filesystem::path& run) {
  std::optional<io::Error> damage;
  for (const models::CheckpointPlace& place : models::list_checkpoints(run)) {
    try {
      io::tensors::Manifest::read(place.folder).verify("model.json");
      return models::read_model_description(place.folder / "model.json");
    } catch (const io::Error& error) {
      if (error.kind() != io::ErrorKind::bad_data) throw;
      if (!damage) damage = error;
    }
  }
  if (!damage) return std::nullopt;
  throw io::Error(io::ErrorKind::bad_data,
                  fmt::format("no checkpoint of '{}' is intact: {}", run.string(), damage->what()));
}

/// What the run's checkpoints say of its model, as a message; empty where there are none.
std::string described_by_run(const PretrainOptions& options) {
  if (options.dry_run && options.run.empty()) return {};
  const std::optional<models::ModelDescription> found = find_description(options.run);
  if (!found) return {};
  const models::ModelDescription& description = *found;
  nlohmann::ordered_json json = {{"tokenizer_fingerprint", description.tokenizer_fingerprint}};
  models::write_config(description.config, json["config"]);
  return io::files::json_text(json);
}

}  // namespace

void adopt_init(const comm::Communicator& communicator, PretrainOptions& options, run::Configuration& configuration) {
  std::string saved;
  comm::agree_on_first(communicator, [&] {
    const std::filesystem::path file = options.run / run::kConfigurationName;
    if (options.run.empty() || !options.init.empty() || options.shape_asked || !io::files::is_there(file)) return;
    saved = run::value_of(run::read_configuration(file), "init").value_or("");
  });
  if (saved = communicator.broadcast(saved); !saved.empty()) options.init = saved;
  if (options.init.empty()) return;
  for (const char* shape : {"model", "query-key-norm", "zero-residuals"}) {
    std::erase_if(configuration, [&](const auto& line) { return line.first == shape; });
  }
  run::set_value(configuration, "init", options.init.string());
}

Start find_start(const comm::Communicator& communicator, const PretrainOptions& options) {
  Start start;
  if (options.init.empty()) return start;
  std::string described;
  comm::agree_on_first(communicator, [&] { described = described_by_run(options); });
  described = communicator.broadcast(described);
  if (!described.empty()) {
    const nlohmann::json json = io::files::parse_json(described);
    start.config = models::read_config(json.at("config"));
    start.tokenizer_fingerprint = json.at("tokenizer_fingerprint");
    return start;
  }
  start.model = models::load_same_model(communicator, options.init);
  comm::agree(communicator, [&] { start.config = shortened(start.model->config, options); });
  start.tokenizer_fingerprint = start.model->tokenizer_fingerprint;
  return start;
}

void copy_parameters(const models::LoadedModel& model, const model::shape::ParameterTable& table,
                     std::span<float> arena) {
  for (const model::shape::Parameter& parameter : table.parameters()) {
    models::read_section(model.weights(), parameter, models::whole(parameter), arena.data() + parameter.offset);
  }
}

}  // namespace chainrule::pipeline::pretrain
