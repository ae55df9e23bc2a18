#include "pipeline/job/memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace chainrule::pipeline::job {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

/// The number in a file of one line, where there is one ("max" is none).
std::optional<std::uint64_t> limit_in(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return whole_number(line);
}

/// KiB behind a name in /proc/meminfo, as bytes.
std::uint64_t of_meminfo(const fs::path& root, std::string_view name) {
  std::ifstream file(root / "proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t digits = line.find_first_of("0123456789");
    if (digits != std::string::npos) return whole_number(std::string_view(line).substr(digits)).value_or(0) * 1024;
  }
  return 0;
}

/// The least limit of a control group and of those above it, in the hierarchy at `mount`.
std::uint64_t least_limit(const fs::path& mount, fs::path group, const char* file, std::uint64_t limit) {
  for (group = group.relative_path();; group = group.parent_path()) {
    if (const auto here = limit_in(mount / group / file)) limit = std::min(limit, *here);
    if (group.empty()) return limit;
  }
}

}  // namespace

NodeMemory node_memory(const fs::path& root) {
  NodeMemory memory{of_meminfo(root, "MemTotal:"), of_meminfo(root, "MemAvailable:")};
  if (memory.limit == 0) return memory;
  std::ifstream groups(root / "proc/self/cgroup");  // lines "4:memory:/slurm/job_7", of version 2 "0::/slurm/job_7"
  for (std::string line; std::getline(groups, line);) {
    const std::size_t kinds = line.find(':');
    const std::size_t path = line.find(':', kinds + 1);
    if (kinds == std::string::npos || path == std::string::npos) continue;
    const std::string kind = line.substr(kinds + 1, path - kinds - 1);
    const fs::path group = line.substr(path + 1);
    if (kind.empty()) {
      memory.limit = least_limit(root / "sys/fs/cgroup", group, "memory.max", memory.limit);
    } else if (kind == "memory") {
      memory.limit = least_limit(root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes", memory.limit);
    }
  }
  memory.available = std::min(memory.available, memory.limit);
  return memory;
}

}  // namespace chainrule::pipeline::job
