#pragma once
#include <cstdint>
#include <filesystem>

namespace chainrule::pipeline::job {

/// Bytes of memory that this process may use on its node, together with the node's others.
struct NodeMemory {
  std::uint64_t limit = 0;      ///< the node's, or less where a control group of the job says so; 0: not known
  std::uint64_t available = 0;  ///< of it, as the system estimates (MemAvailable); 0: not known
};

/// From /proc and /sys below root. Control groups of both versions, those above included.
NodeMemory node_memory(const std::filesystem::path& root = "/");

}  // namespace chainrule::pipeline::job
