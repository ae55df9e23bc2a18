#include "io/files/published_folder.h"

#include <fmt/format.h>

#include <system_error>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/presence.h"

namespace chainrule::io::files {

namespace fs = std::filesystem;

fs::path folder_path(const fs::path& path) {
  std::error_code error;
  fs::path whole = fs::absolute(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  if (presence_of(whole) != Presence::folder) return whole;  // a link to nothing is refused here
  const fs::path target = fs::canonical(whole, error);       // a rename would replace a link, not what it leads to
  return error ? whole : target;
}

bool is_free_for_folder(const fs::path& place) {
  const Presence presence = presence_of(place);
  return presence == Presence::absent || (presence == Presence::folder && list_folder(place).empty());
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
  try {
    sync_path(beside);
    commit_rename(beside, place);
  } catch (const Error& error) {
    if (presence_of_itself(beside) == Presence::absent) throw;
    throw Error(error.kind(), fmt::format("{}; it is whole in '{}'", error.what(), beside.string()));
  }
}

}  // namespace chainrule::io::files
