#pragma once
#include <filesystem>
#include <vector>

namespace chainrule::io::files {

/// What lies at a path, links followed.
enum class Presence { absent, file, folder, other };

/// Looks at a path. Absent is only what the system says is not there (ENOENT, or a parent that is a file): what cannot
/// be seen may well be there. A link to nothing is not absent either. ESTALE, by which a network file system says that
/// its own memory of a path is out of date, is asked again a few times. Throws Error missing_input where it cannot be
/// seen, and for a link to nothing.
Presence presence_of(const std::filesystem::path& path);

inline bool is_there(const std::filesystem::path& path) { return presence_of(path) != Presence::absent; }

/// As presence_of, of the path itself: a link is `other`, whatever it leads to.
Presence presence_of_itself(const std::filesystem::path& path);

/// Everything in a folder, sorted by the bytes of the names; none where there is no such folder. Throws Error
/// missing_input where the folder, or what is in it, cannot be seen.
std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder);

}  // namespace chainrule::io::files
