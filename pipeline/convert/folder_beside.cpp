#include "pipeline/convert/folder_beside.h"

#include <fmt/format.h>

#include <system_error>

#include "io/error.h"
#include "io/files/atomic_output.h"
#include "io/files/published_folder.h"
#include "io/quote.h"

namespace chainrule::pipeline::convert {

namespace fs = std::filesystem;

void require_free(const fs::path& path) {
  const fs::path place = io::files::folder_path(path);
  if (!io::files::is_free_for_folder(place)) {
    throw io::Error(io::ErrorKind::cannot_create,
                    fmt::format("{} is there already: name a new or empty folder", io::path_in_quotes(path)));
  }
  io::files::make_place_for(place);
}

FolderBeside::FolderBeside(const fs::path& place) : place_(io::files::folder_path(place)) {
  require_free(place_);
  path_ = io::files::make_folder_beside(place_);
}

FolderBeside::~FolderBeside() {
  if (kept_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void FolderBeside::publish() {
  kept_ = true;  // whole: from here on it stays, wherever it is
  io::files::publish_folder(path_, place_);
}

}  // namespace chainrule::pipeline::convert
