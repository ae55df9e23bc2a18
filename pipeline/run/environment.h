#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::run {

/// What a result may depend on besides its inputs, for environment.json: versions, machine, ranks, scheduler, time.
struct Environment {
  struct Host {
    std::string name;
    std::string processor;  ///< its model name
    int ranks = 0;
  };

  std::string program;                           ///< version text of the build (cli::version_text())
  std::string program_digest;                    ///< XXH3-128 of the executable
  std::map<std::string, std::string> libraries;  ///< "oneDNN", "HDF5", "MPI": versions in use
  std::string instruction_set;                   ///< oneDNN's, and whose float32 products are used
  std::string operating_system;                  ///< e.g. "Linux 6.1.0-18-amd64 x86_64"
  int ranks = 0;
  int threads_per_rank = 0;
  std::vector<Host> hosts;                       ///< in order of their lowest rank
  std::map<std::string, std::string> scheduler;  ///< the job's ids, by the scheduler's names, e.g. SLURM_JOB_ID
  std::string started;                           ///< UTC, ISO 8601
};

/// Gathers it and compares between ranks what equal bits rest on: throws AgreedError (usage) where ranks differ in
/// build, instruction set or threads. The hosts are complete on rank 0. Collective.
Environment gather_environment(const comm::Communicator& communicator, const std::string& program,
                               int threads_per_rank);

/// What bits depend on besides inputs and options, in a line: build, instruction set, threads.
std::string conditions_of(const Environment& environment);

/// As the object that environment.json holds; a command adds its own fields.
nlohmann::ordered_json to_json(const Environment& environment);

/// Now, as UTC in ISO 8601: "2026-01-31T12:00:00Z".
std::string utc_now();

}  // namespace chainrule::pipeline::run
