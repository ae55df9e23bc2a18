#include "io/files/published_folder.h"

#include <fmt/format.h>

#include <system_error>

#include "io/error.h"
#include "io/files/atomic_file.h"

namespace chainrule::io::files {

namespace fs = std::filesystem;

fs::path folder_path(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

bool is_free_for_folder(const fs::path& place) {
  std::error_code error;
  const fs::file_status status = fs::status(place, error);
  if (!fs::exists(status)) return true;
  return fs::is_directory(status) && fs::is_empty(place, error) && !error;
}

bool make_folder(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  const bool made = !error && fs::create_directory(path, error);
  if (error) {
    throw Error(ErrorKind::cannot_create,
                fmt::format("cannot create the folder '{}': {}", path.string(), error.message()));
  }
  return made;
}

void publish_folder(const fs::path& beside, const fs::path& place) {
  sync_path(beside);
  commit_rename(beside, place);
}

void replace_folder(const fs::path& beside, const fs::path& place) {
  sync_path(beside);
  std::error_code error;
  const bool replaces = fs::exists(place, error);
  const fs::path replaced = place.string() + ".replaced";
  if (replaces) commit_rename(place, replaced);
  commit_rename(beside, place);
  if (replaces) fs::remove_all(replaced, error);
}

}  // namespace chainrule::io::files
