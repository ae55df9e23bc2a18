#include "pipeline/run/environment.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "io/files/digest.h"
#include "io/hdf5/version.h"
#include "model/ops/ops.h"
#include "model/products/onednn/version.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/exit_code.h"
#include "pipeline/show/legible.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::run {
namespace {

/// The variables by which schedulers name a job.
constexpr std::array kSchedulerVariables = {
    "SLURM_CLUSTER_NAME",  "SLURM_JOB_ID",        "SLURM_JOB_NAME", "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT", "PBS_JOBID",      "PBS_ARRAY_INDEX",
    "LSB_JOBID",           "LSB_JOBINDEX",        "FLUX_JOB_ID",
};

std::string processor_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(std::min(colon + 2, line.size()));
    }
  }
  return "unknown";
}

std::vector<Environment::Host> gather_hosts(const comm::Communicator& communicator, const std::string& name) {
  const std::string said = name + '\n' + processor_model();
  std::vector<Environment::Host> hosts;
  for (const auto& bytes : communicator.gather(std::as_bytes(std::span(said)))) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t cut = text.find('\n');
    const auto known =
        std::find_if(hosts.begin(), hosts.end(), [&](const auto& host) { return host.name == text.substr(0, cut); });
    if (known != hosts.end()) {
      ++known->ranks;
    } else {
      hosts.push_back({std::string(text.substr(0, cut)), std::string(text.substr(cut + 1)), 1});
    }
  }
  return hosts;
}

}  // namespace

std::string utc_now() { return show::utc_text(std::time(nullptr)); }

Environment gather_environment(const comm::Communicator& communicator, const std::string& program,
                               int threads_per_rank) {
  utsname system{};
  ::uname(&system);
  Environment environment;
  environment.program = program;
  comm::agree(communicator, [&] { environment.program_digest = io::files::file_digest("/proc/self/exe"); });
  environment.libraries = {{"HDF5", io::hdf5::hdf5_version()},
                           {"MPI", comm::Session::library_version()},
                           {"oneDNN", model::products::onednn::onednn_version()}};
  environment.instruction_set =
      fmt::format("{}; float32 products by {}", model::products::onednn::onednn_instruction_set(),
                  model::ops::float32_products_by());
  environment.operating_system = fmt::format("{} {} {}", system.sysname, system.release, system.machine);
  environment.ranks = communicator.size();
  environment.threads_per_rank = threads_per_rank;
  environment.hosts = gather_hosts(communicator, system.nodename);
  for (const char* name : kSchedulerVariables) {
    if (const char* value = std::getenv(name)) environment.scheduler[name] = show::valid_utf8(value);
  }
  environment.started = utc_now();

  const auto require_same = [&](const char* what, const std::string& value) {
    comm::require_same(communicator, failure::ExitCode::usage, what, value);
  };
  require_same("the build", fmt::format("{} {}", environment.program, environment.program_digest));
  require_same("the oneDNN library", environment.libraries["oneDNN"]);
  require_same("the instruction set", environment.instruction_set);
  require_same("threads per rank", fmt::format("{}", threads_per_rank));
  return environment;
}

std::string conditions_of(const Environment& environment) {
  return fmt::format("build {}, {}, {} thread{} a rank", environment.program_digest, environment.instruction_set,
                     environment.threads_per_rank, environment.threads_per_rank == 1 ? "" : "s");
}

nlohmann::ordered_json to_json(const Environment& environment) {
  nlohmann::ordered_json json;
  json["program"] = environment.program;
  json["program_digest"] = environment.program_digest;
  json["libraries"] = environment.libraries;
  json["instruction_set"] = environment.instruction_set;
  json["operating_system"] = environment.operating_system;
  json["ranks"] = environment.ranks;
  json["threads_per_rank"] = environment.threads_per_rank;
  json["hosts"] = nlohmann::ordered_json::array();
  for (const auto& host : environment.hosts) {
    json["hosts"].push_back({{"name", host.name}, {"processor", host.processor}, {"ranks", host.ranks}});
  }
  json["scheduler"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : environment.scheduler) json["scheduler"][name] = value;
  json["started"] = environment.started;
  return json;
}

}  // namespace chainrule::pipeline::run
