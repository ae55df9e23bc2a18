#pragma once
#include <filesystem>
#include <string>

namespace chainrule::pipeline::job {

/// What a path lies on, or would lie on once it is made.
struct FileSystem {
  std::string name;           ///< "ext4", "lustre"; its number where no name is known; empty where it cannot be told
  bool of_this_node = false;  ///< a disk or memory of the node's own: known not to be shared with other nodes
};

FileSystem file_system_of(const std::filesystem::path& path);

/// By the number that statfs(2) gives.
FileSystem file_system_by_number(long number);

}  // namespace chainrule::pipeline::job
