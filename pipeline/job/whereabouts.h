#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/job/batch_job.h"
#include "pipeline/job/memory.h"

namespace chainrule::pipeline::job {

/// Where a job's ranks run.
struct Whereabouts {
  struct Node {
    std::string name;
    std::vector<int> ranks;
    std::string hardware_threads;  ///< that its ranks may use together: "0-31,64"
    NodeMemory memory;             ///< of the rank that may use the least
  };
  BatchJob job;
  std::vector<Node> nodes;  ///< in order of their lowest rank
  int threads_per_rank = 1;
};

/// Complete on rank 0, empty elsewhere. Collective.
Whereabouts gather_whereabouts(const comm::Communicator& communicator, int threads_per_rank);

/// What a rank will take at the most.
struct Need {
  std::string what;  ///< "parameters"
  std::int64_t bytes = 0;
  bool once_a_node = false;  ///< a node's ranks share it: a file that all have mapped
};

/// Bytes that the ranks of a node need together.
std::int64_t bytes_on(const Whereabouts::Node& node, std::span<const Need> needs);

/// Throws failure::Error (out_of_memory) where a node's ranks need more than it has, or than its control group allows.
/// For rank 0.
void check_memory(const Whereabouts& here, std::span<const Need> needs);

/// Warnings, for rank 0: too little memory free just now; an output on a disk of one node's own.
std::vector<std::string> advice(const Whereabouts& here, std::span<const Need> needs,
                                const std::filesystem::path& output);

/// Some lines for people: job, ranks and cores, memory with its arithmetic, the file system of the output.
std::string to_text(const Whereabouts& here, std::span<const Need> needs, const std::filesystem::path& output);

/// What a command says as it begins: check_memory, advice as warnings and, in a batch job or on several nodes, to_text
/// on standard error. For rank 0.
void say_where(const Whereabouts& here, std::span<const Need> needs, const std::filesystem::path& output);

/// For environment.json: adds "job", and to its "hosts" what of them is known here (see run::to_json).
void add_to(nlohmann::ordered_json& json, const Whereabouts& here);

}  // namespace chainrule::pipeline::job
