#pragma once
#include <optional>
#include <string>

#include "io/files/temporary_folder.h"

namespace chainrule::pipeline::comm {

/// While it lives, this process puts its temporary files (TMPDIR) into a folder of its own. For the start of Open MPI 5
/// without a launcher: all such processes of a user on a host otherwise share a folder, and delete it under each other.
/// Nothing of it stays. Where none can be made, nothing changes.
class OwnTemporaryFiles {
 public:
  OwnTemporaryFiles();
  OwnTemporaryFiles(const OwnTemporaryFiles&) = delete;
  OwnTemporaryFiles& operator=(const OwnTemporaryFiles&) = delete;
  ~OwnTemporaryFiles();

 private:
  std::optional<io::files::TemporaryFolder> folder_;
  std::optional<std::string> before_;  ///< what TMPDIR was
};

}  // namespace chainrule::pipeline::comm
