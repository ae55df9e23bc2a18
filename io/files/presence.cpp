#include "io/files/presence.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "io/error.h"

namespace chainrule::io::files {
namespace {

constexpr int kLooks = 5;

/// call() until it is 0 or fails with something else than ESTALE; then its errno, else 0.
template <class Call>
int error_of(const Call& call) {
  for (int look = 1;; ++look) {
    errno = 0;
    if (call() == 0) return 0;
    if (errno != ESTALE || look == kLooks) return errno;
    std::this_thread::sleep_for(std::chrono::milliseconds(20 * look));
  }
}

Presence kind_of(const struct stat& found) {
  if (S_ISREG(found.st_mode)) return Presence::file;
  return S_ISDIR(found.st_mode) ? Presence::folder : Presence::other;
}

[[noreturn]] void fail(const char* operation, const std::filesystem::path& path, int error) {
  throw Error(ErrorKind::missing_input,
              fmt::format("cannot {} '{}': {}", operation, path.string(), std::strerror(error)));
}

bool says_absent(int error) { return error == ENOENT || error == ENOTDIR; }

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

/// Reads a folder once; 0, or what went wrong.
int read_names(const std::filesystem::path& folder, std::vector<std::string>& names) {
  names.clear();
  errno = 0;
  const std::unique_ptr<DIR, CloseFolder> entries(::opendir(folder.c_str()));
  if (!entries) return errno;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr) return errno;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
}

}  // namespace

Presence presence_of_itself(const std::filesystem::path& path) {
  struct stat found {};
  const int error = error_of([&] { return ::lstat(path.c_str(), &found); });
  if (says_absent(error)) return Presence::absent;
  if (error != 0) fail("look at", path, error);
  return kind_of(found);
}

Presence presence_of(const std::filesystem::path& path) {
  // What comes between the looks, or was told to be absent once, is there; a link that has come is looked through
  // again.
  for (int look = 0; look < 2; ++look) {
    struct stat found {};
    int error = error_of([&] { return ::stat(path.c_str(), &found); });
    if (error == 0) return kind_of(found);
    if (!says_absent(error)) fail("look at", path, error);
    error = error_of([&] { return ::lstat(path.c_str(), &found); });
    if (says_absent(error)) return Presence::absent;
    if (error != 0) fail("look at", path, error);
    if (!S_ISLNK(found.st_mode)) return kind_of(found);
  }
  throw Error(ErrorKind::missing_input, fmt::format("'{}' is a link to something that is not there", path.string()));
}

std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  const int error = error_of([&] { return (errno = read_names(folder, names)) == 0 ? 0 : -1; });
  if (error == ENOENT && presence_of(folder) == Presence::absent) return {};
  if (error != 0) fail("list the folder", folder, error);
  std::sort(names.begin(), names.end());
  std::vector<std::filesystem::path> paths;
  paths.reserve(names.size());
  for (const std::string& name : names) paths.push_back(folder / name);
  return paths;
}

}  // namespace chainrule::io::files
