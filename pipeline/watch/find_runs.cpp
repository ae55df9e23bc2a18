#include "pipeline/watch/find_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "pipeline/run/run_directory.h"
#include "pipeline/watch/submitted_jobs.h"

namespace chainrule::pipeline::watch {
namespace {

constexpr std::string_view kJobEnding = ".job";

class Search {
 public:
  void look_into(const std::filesystem::path& folder, int depth) {
    if (!seen_.insert(itself(folder)).second) return;
    if (io::files::is_there(folder / run::kConfigurationName)) return add(folder);
    if (depth == kDeepestRun) return;
    for (const std::filesystem::path& entry : io::files::list_folder(folder)) {
      try {
        look_at(entry, depth + 1);
      } catch (const io::Error& error) {
        places_.push_back({entry, error.what()});
      }
    }
  }

  void look_at_jobs_of(const std::filesystem::path& run) {
    const std::filesystem::path jobs = job_folder_of(run);
    if (io::files::presence_of(jobs) == io::files::Presence::folder && holds_pretraining(jobs)) add(run);
  }

  std::vector<RunPlace> take() {
    std::sort(places_.begin(), places_.end(), [](const auto& a, const auto& b) { return a.folder < b.folder; });
    return std::move(places_);
  }

 private:
  void look_at(const std::filesystem::path& entry, int depth) {
    const std::string name = entry.filename().string();
    if (name.starts_with('.') || io::files::presence_of(entry) != io::files::Presence::folder) return;
    if (!name.ends_with(kJobEnding)) return look_into(entry, depth);
    std::filesystem::path run = entry;
    look_at_jobs_of(run.replace_filename(name.substr(0, name.size() - kJobEnding.size())));
  }

  void add(const std::filesystem::path& run) {
    if (added_.insert(run).second) places_.push_back({run, {}});
  }

  static std::filesystem::path itself(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::path path = std::filesystem::canonical(folder, error);
    if (!error) return path;
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("cannot look at {}: {}", io::path_in_quotes(folder), error.message()));
  }

  std::set<std::filesystem::path> seen_;
  std::set<std::filesystem::path> added_;
  std::vector<RunPlace> places_;
};

}  // namespace

std::vector<RunPlace> find_runs(const std::filesystem::path& named) {
  const std::filesystem::path folder = named.has_filename() ? named : named.parent_path();
  const io::files::Presence presence = io::files::presence_of(folder);
  Search search;
  if (presence == io::files::Presence::absent) search.look_at_jobs_of(folder);  // a run that waits for its first job
  if (presence == io::files::Presence::folder) search.look_into(folder, 0);
  std::vector<RunPlace> found = search.take();
  if (presence != io::files::Presence::folder && found.empty()) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("{} {}", io::path_in_quotes(folder),
                                presence == io::files::Presence::absent ? "is not there" : "is no folder"));
  }
  return found;
}

}  // namespace chainrule::pipeline::watch
