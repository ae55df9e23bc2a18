#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/text/left_out.h"

namespace chainrule::io::text {

/// A regular file below a folder.
struct FolderFile {
  std::string below;     ///< its path relative to the folder, links kept
  std::string identity;  ///< its canonical path
};

struct FolderContent {
  std::vector<FolderFile> files;  ///< sorted by the bytes of `below`
  std::vector<LeftOut> left_out;  ///< in no order; names begin with the folder's
};

/// What lies below a folder: canonical is its canonical path, name what it is called in messages. Files that are to be
/// left out by their content are still among the files. Throws Error missing_input for what cannot be read, bad_data
/// where chainrule wrote the folder.
FolderContent walk_folder(const std::filesystem::path& canonical, const std::string& name);

}  // namespace chainrule::io::text
