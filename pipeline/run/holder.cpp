#include "pipeline/run/holder.h"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <random>

#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/quote.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::run {
namespace {

constexpr std::size_t kIdDigits = 32;

std::string new_id() {
  std::random_device random;
  std::string id;
  while (id.size() < kIdDigits) id += fmt::format("{:08x}", random());
  return id;
}

/// An id becomes part of a file's name.
bool is_id(const std::string& text) {
  return text.size() == kIdDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// By what schedulers set alone; pipeline/job asks more of them.
std::string batch_job() {
  constexpr const char* kJobs[][2] = {
      {"SLURM_JOB_ID", "Slurm"}, {"PBS_JOBID", "OpenPBS"}, {"FLUX_JOB_ID", "Flux"}, {"LSB_JOBID", "LSF"}};
  for (const auto& [variable, scheduler] : kJobs) {
    const char* id = std::getenv(variable);
    if (id != nullptr && *id != '\0') return fmt::format("{} {}", scheduler, id);
  }
  return "";
}

std::int64_t job_restarts() {
  const char* text = std::getenv("SLURM_RESTART_COUNT");
  return text == nullptr ? 0 : std::strtoll(text, nullptr, 10);
}

}  // namespace

Holder new_holder() {
  return {new_id(), this_process(), show::utc_text(std::time(nullptr)), batch_job(), job_restarts()};
}

std::string to_json_text(const Holder& holder) {
  nlohmann::ordered_json json;
  json["id"] = holder.id;
  json["process"] = holder.process.process;
  json["host"] = holder.process.host;
  json["boot"] = holder.process.boot;
  json["process_space"] = holder.process.space;
  json["process_started"] = holder.process.started;
  json["since"] = holder.since;
  json["job"] = holder.job;
  json["job_restart"] = holder.job_restart;
  return io::files::json_text(json) + "\n";
}

std::optional<Holder> parse_holder(std::string_view json) {
  try {
    const nlohmann::json object = io::files::parse_json(json);
    Holder holder;
    object.at("id").get_to(holder.id);
    holder.process.process = io::files::whole_number<std::int64_t>(object, "process");
    object.at("host").get_to(holder.process.host);
    object.at("boot").get_to(holder.process.boot);
    holder.process.space = io::files::whole_number<std::uint64_t>(object, "process_space");
    holder.process.started = io::files::whole_number<std::uint64_t>(object, "process_started");
    object.at("since").get_to(holder.since);
    object.at("job").get_to(holder.job);
    holder.job_restart = io::files::whole_number<std::int64_t>(object, "job_restart");
    if (is_id(holder.id)) return holder;
  } catch (const nlohmann::json::exception&) {  // nothing
  }
  return std::nullopt;
}

std::string name_of(const Holder& holder) {
  std::string name =
      fmt::format("process {} on {} since {}", holder.process.process, holder.process.host, holder.since);
  if (!holder.job.empty()) name += fmt::format(" ({})", holder.job);
  return io::on_one_line(name);
}

std::chrono::seconds patience_with(const Holder& holder, const Holder& mine) {
  const ProcessIdentity& its = holder.process;
  const bool host_began_anew =
      its.host == mine.process.host && !its.boot.empty() && !mine.process.boot.empty() && its.boot != mine.process.boot;
  const bool job_began_anew = !mine.job.empty() && holder.job == mine.job && holder.job_restart < mine.job_restart;
  return host_began_anew || job_began_anew ? std::chrono::seconds(0) : kPatience;
}

}  // namespace chainrule::pipeline::run
