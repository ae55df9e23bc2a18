#include "pipeline/evaluate/part_file.h"

#include <fmt/format.h>

#include <system_error>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/presence.h"
#include "io/files/published_folder.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::evaluate {

namespace fs = std::filesystem;

fs::path journal_file(const fs::path& place) { return io::files::folder_path(place).string() + ".journal"; }

fs::path part_file(const fs::path& report, const scoring::Part& part) {
  return io::files::folder_path(report).string() + fmt::format(".part-{}-of-{}", part.index + 1, part.count);
}

void check_part_file(const fs::path& part) {
  if (!io::files::is_there(part)) return;
  throw io::Error(io::ErrorKind::cannot_create,
                  fmt::format("'{}' is there already; name another report, or remove it", part.string()));
}

void publish_part(const journal::Journal& journal, const fs::path& part) {
  journal.sync();
  check_part_file(part);
  io::files::commit_rename(journal.path(), part);
}

void remove_journal(const journal::Journal& journal) {
  std::error_code error;
  fs::remove(journal.path(), error);
  if (error) run::warn(fmt::format("cannot remove '{}': {}", journal.path().string(), error.message()));
}

}  // namespace chainrule::pipeline::evaluate
