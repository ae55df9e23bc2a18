#include "pipeline/job/batch_job.h"

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "pipeline/job/output_of.h"
#include "pipeline/run/duration.h"

namespace chainrule::pipeline::job {
namespace {

constexpr double kPatienceSeconds = 5;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

std::optional<double> duration(std::string_view text) {
  try {
    return run::parse_duration(trimmed(text));
  } catch (const std::invalid_argument&) {
    return std::nullopt;  // "UNLIMITED", "-"
  }
}

std::optional<double> number(std::string_view text) {
  const std::string copy(trimmed(text));
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != '\0' || !std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

std::optional<double> asked(const std::vector<std::string>& command, std::optional<double> (*read)(std::string_view)) {
  const std::optional<std::string> said = output_of(command, kPatienceSeconds);
  return said ? read(*said) : std::nullopt;
}

std::optional<double> slurm_seconds_left(const std::string& id) {
  if (const auto end = number(variable("SLURM_JOB_END_TIME"))) {
    return std::max(0.0, *end - static_cast<double>(std::time(nullptr)));
  }
  return asked({"squeue", "--noheader", "--jobs", id, "--format", "%L"}, duration);
}

/// What `qstat -f` says behind "name = ", as a duration.
std::optional<double> pbs_duration(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(std::string(name) + " = ");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(at + name.size() + 3);
  return duration(value.substr(0, value.find('\n')));
}

std::optional<double> pbs_seconds_left(std::string_view text) {
  const auto limit = pbs_duration(text, "Resource_List.walltime");
  if (!limit) return std::nullopt;
  return std::max(0.0, *limit - pbs_duration(text, "resources_used.walltime").value_or(0));
}

/// "12:30 L": hours and minutes, and what kind of estimate it is.
std::optional<double> lsf_seconds_left(std::string_view text) {
  text = trimmed(text);
  return duration(std::string(text.substr(0, text.find(' '))) + ":00");
}

BatchJob slurm_job() {
  BatchJob job{"Slurm", variable("SLURM_JOB_ID"), variable("SLURM_JOB_NAME"), {}};
  job.seconds_left = slurm_seconds_left(job.id);
  if (!variable("SLURM_ARRAY_JOB_ID").empty()) {
    job.id = variable("SLURM_ARRAY_JOB_ID") + "_" + variable("SLURM_ARRAY_TASK_ID");
  }
  return job;
}

}  // namespace

BatchJob this_batch_job() {
  if (!variable("SLURM_JOB_ID").empty()) return slurm_job();
  if (const std::string id = variable("PBS_JOBID"); !id.empty()) {
    return {"OpenPBS", id, variable("PBS_JOBNAME"), asked({"qstat", "-f", id}, pbs_seconds_left)};
  }
  if (const std::string id = variable("FLUX_JOB_ID"); !id.empty()) {
    return {"Flux", id, "", asked({"flux", "job", "timeleft"}, number)};
  }
  if (std::string id = variable("LSB_JOBID"); !id.empty()) {
    const auto left = asked({"bjobs", "-noheader", "-o", "time_left", id}, lsf_seconds_left);
    if (const std::string index = variable("LSB_JOBINDEX"); !index.empty() && index != "0") id += "[" + index + "]";
    return {"LSF", id, variable("LSB_JOBNAME"), left};
  }
  return {};
}

}  // namespace chainrule::pipeline::job
