#include "pipeline/evaluate/part_file.h"

#include <fmt/format.h>

#include <system_error>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/atomic_output.h"
#include "io/files/presence.h"
#include "io/files/published_folder.h"
#include "io/quote.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::evaluate {

namespace fs = std::filesystem;

fs::path journal_file(const fs::path& place) { return io::files::folder_path(place).string() + ".journal"; }

fs::path part_file(const fs::path& report, const scoring::Part& part) {
  return io::files::folder_path(report).string() + fmt::format(".part-{}-of-{}", part.index + 1, part.count);
}

bool is_made(const fs::path& part, const EvaluationPlan& plan) {
  if (!io::files::is_there(part)) return false;
  const std::string identity = journal::Journal::read(part).header().identity;
  if (identity == plan.identity()) return true;
  throw io::Error(io::ErrorKind::cannot_create,
                  fmt::format("{} is there already, a part of another evaluation ({}), not of this one ({}); name "
                              "another report, or remove it",
                              io::path_in_quotes(part), io::in_quotes(identity), io::in_quotes(plan.identity())));
}

void publish_part(const journal::Journal& journal, const fs::path& part) {
  journal.sync();
  io::files::require_absent(part);
  io::files::commit_rename(journal.path(), part);
}

void remove_journal(const journal::Journal& journal) {
  std::error_code error;
  fs::remove(journal.path(), error);
  if (error) run::warn(fmt::format("cannot remove '{}': {}", journal.path().string(), error.message()));
}

}  // namespace chainrule::pipeline::evaluate
