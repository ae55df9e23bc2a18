#include "io/files/published_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
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
  try {
    if (presence_of(whole) != Presence::folder) return whole;
  } catch (const Error& unseen) {  // also a link to nothing
    throw Error(ErrorKind::cannot_create,
                fmt::format("cannot create the folder '{}': {}", path.string(), unseen.what()));
  }
  const fs::path target = fs::canonical(whole, error);  // a rename would replace a link, not what it leads to
  return error ? whole : target;
}

bool is_free_for_folder(const fs::path& place) {
  const Presence presence = presence_of(place);
  return presence == Presence::absent || (presence == Presence::folder && list_folder(place).empty());
}

bool make_folder(const fs::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::cannot_create, fmt::format("cannot create the folder '{}': {}", path.string(), why));
  };
  const auto is_folder = [&] {
    try {
      return presence_of(path) == Presence::folder;
    } catch (const Error& unseen) {
      refuse(unseen.what());
    }
    return false;
  };
  if (is_folder()) return false;
  if (path.has_parent_path() && path.parent_path() != path) make_folder(path.parent_path());
  if (::mkdir(path.c_str(), 0777) == 0) return true;
  const int error = errno;
  if (error != EEXIST || !is_folder()) refuse(std::strerror(error));
  return false;
}

fs::path make_folder_beside(const fs::path& place) {
  for (int number = 1;; ++number) {
    fs::path beside = fmt::format("{}.partial-{}", place.string(), number);
    if (make_folder(beside)) return beside;
  }
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
