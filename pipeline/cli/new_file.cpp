#include "pipeline/cli/new_file.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/atomic_output.h"
#include "io/files/presence.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::cli {

NewFile::NewFile(std::string_view option, std::filesystem::path path) : option_(option), path_(std::move(path)) {
  if (path_.empty()) throw failure::Error(failure::ExitCode::usage, fmt::format("{} needs a file's name", option_));
  refuse_existing();
  try {
    io::files::make_place_for(path_);
  } catch (const io::Error& error) {
    throw io::Error(error.kind(), fmt::format("{}: {}", option_, error.what()));
  }
}

void NewFile::refuse_existing() const {
  if (io::files::presence_of_itself(path_) == io::files::Presence::absent) return;
  throw io::Error(io::ErrorKind::cannot_create,
                  fmt::format("{}: '{}' is already there; it is not overwritten", option_, path_.string()));
}

void NewFile::write(std::string_view content) const {
  refuse_existing();
  io::files::write_file_atomically(path_, content);
}

}  // namespace chainrule::pipeline::cli
