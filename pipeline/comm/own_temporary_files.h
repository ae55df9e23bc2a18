#pragma once
#include <optional>
#include <string>

namespace chainrule::pipeline::comm {

/// While it lives, a folder of this process's own is where programs put temporary files (TMPDIR). For the start of Open
/// MPI 5 without a launcher: all such processes of a user on a host otherwise share a folder, and delete it under each
/// other. Nothing of it stays. Where none can be made, nothing changes.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

 private:
  std::string folder_;                 ///< empty: none
  std::optional<std::string> before_;  ///< what TMPDIR was
};

}  // namespace chainrule::pipeline::comm
