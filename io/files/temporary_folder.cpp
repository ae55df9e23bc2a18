#include "io/files/temporary_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include "io/error.h"

namespace chainrule::io::files {

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent) {
  std::string name = (parent / "chainrule-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorKind::cannot_create,
                fmt::format("cannot create the temporary folder '{}': {}", name, std::strerror(errno)));
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // a leftover in the temporary folder is no failure of what was done in it
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace chainrule::io::files
