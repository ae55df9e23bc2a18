#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace chainrule::io::files {

/// Replaces path by content in one step: written beside it, synced, renamed, and the folder synced. A reader sees the
/// old file or the whole new one. Throws Error (cannot_create, input_output) and leaves nothing behind.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// A new file beside `path`, open for writing and reading: path with a suffix that no file has yet. Nothing that is
/// there already is opened, and no link followed, so that nobody else chooses what is written to.
struct FileBeside {
  int descriptor = -1;
  std::filesystem::path path;
};
/// Throws Error cannot_create.
FileBeside create_beside(const std::filesystem::path& path);

/// The whole content of a regular file. Throws Error missing_input where it cannot be opened or is no regular file (a
/// pipe is not waited for), input_output.
std::string read_file(const std::filesystem::path& path);

/// The same of what a person names, which may be a pipe: waits for its writer. Never for what lies in a folder that a
/// program wrote.
std::string read_file_or_pipe(const std::filesystem::path& path);

/// fsync of a file or folder. Throws Error input_output.
void sync_path(const std::filesystem::path& path);

/// Renames from to to and syncs the folder: the commit of something written beside its place. Throws Error
/// cannot_create.
void commit_rename(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace chainrule::io::files
