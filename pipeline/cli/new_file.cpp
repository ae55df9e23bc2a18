#include "pipeline/cli/new_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::cli {

NewFile::NewFile(std::string_view option, std::filesystem::path path) : option_(option), path_(std::move(path)) {
  if (path_.empty()) throw failure::Error(failure::ExitCode::usage, fmt::format("{} needs a file's name", option_));
  refuse_existing();
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error) || ::access(folder.c_str(), W_OK) != 0) {
    throw io::Error(io::ErrorKind::cannot_create, fmt::format("{}: cannot create '{}': no folder '{}' to write to",
                                                              option_, path_.string(), folder.string()));
  }
}

void NewFile::refuse_existing() const {
  std::error_code error;
  if (std::filesystem::symlink_status(path_, error).type() == std::filesystem::file_type::not_found) return;
  throw io::Error(io::ErrorKind::cannot_create,
                  fmt::format("{}: '{}' is already there; it is not overwritten", option_, path_.string()));
}

void NewFile::write(std::string_view content) const {
  refuse_existing();
  io::files::write_file_atomically(path_, content);
}

}  // namespace chainrule::pipeline::cli
