#include "pipeline/pretrain/checkpoint/training_state.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/files/versioned_json.h"
#include "io/quote.h"

namespace chainrule::pipeline::pretrain::checkpoint {
namespace {
constexpr io::files::JsonFormat kFormat = {"chainrule-training-state", 1};
}  // namespace

void write_training_state(const std::filesystem::path& path, const TrainingState& state) {
  nlohmann::ordered_json json = io::files::begin_json(kFormat);
  json["step"] = state.step;
  json["samples_consumed"] = state.samples_consumed;
  if (state.samples_passed_over != 0) json["samples_passed_over"] = state.samples_passed_over;
  if (state.skipped_in_row != 0) json["skipped_in_row"] = state.skipped_in_row;
  if (!state.recent_losses.empty()) {
    json["recent_losses"] = state.recent_losses;
    json["recent_gradient_norms"] = state.recent_gradient_norms;
  }
  json["elapsed_seconds"] = state.elapsed_seconds;
  json["data_fingerprint"] = state.data_fingerprint;
  for (const SourceState& source : state.sources) {
    json["sources"].push_back(
        {{"name", source.name}, {"samples", source.samples}, {"data_fingerprint", source.data_fingerprint}});
  }
  json["arena_layout"] = state.arena_layout;
  json["program_digest"] = state.program_digest;
  json["instruction_set"] = state.instruction_set;
  json["threads_per_rank"] = state.threads_per_rank;
  io::files::write_file_atomically(path, io::files::json_text(json, 2) + "\n");
}

TrainingState read_training_state(const std::filesystem::path& checkpoint) {
  const std::filesystem::path path = checkpoint / kStateName;
  try {
    const auto json = io::files::parse_json(io::files::read_file(path));
    if (!io::files::is_format(json, kFormat) || !io::files::is_version(json, kFormat)) {
      throw io::Error(io::ErrorKind::bad_data, fmt::format("{} is no training state of format version {}",
                                                           io::path_in_quotes(path), kFormat.version));
    }
    TrainingState state;
    state.step = io::files::whole_number<std::int64_t>(json, "step");
    state.samples_consumed = io::files::whole_number<std::uint64_t>(json, "samples_consumed");
    if (json.contains("samples_passed_over")) {
      state.samples_passed_over = io::files::whole_number<std::uint64_t>(json, "samples_passed_over");
    }
    if (json.contains("skipped_in_row"))
      state.skipped_in_row = io::files::whole_number<std::int64_t>(json, "skipped_in_row");
    if (json.contains("recent_losses")) {
      json.at("recent_losses").get_to(state.recent_losses);
      json.at("recent_gradient_norms").get_to(state.recent_gradient_norms);
    }
    json.at("elapsed_seconds").get_to(state.elapsed_seconds);
    json.at("data_fingerprint").get_to(state.data_fingerprint);
    for (const auto& source : json.value("sources", nlohmann::json::array())) {
      state.sources.push_back({source.at("name"), io::files::whole_number<std::uint64_t>(source, "samples"),
                               source.at("data_fingerprint")});
    }
    json.at("arena_layout").get_to(state.arena_layout);
    json.at("program_digest").get_to(state.program_digest);
    json.at("instruction_set").get_to(state.instruction_set);
    io::files::read_value(json.at("threads_per_rank"), state.threads_per_rank);
    return state;
  } catch (const nlohmann::json::exception& error) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{} is damaged: {}", io::path_in_quotes(path), error.what()));
  }
}

}  // namespace chainrule::pipeline::pretrain::checkpoint
