#include "pipeline/watch/curves/run_starts.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "io/error.h"
#include "io/files/file_end.h"
#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/files/presence.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"

namespace chainrule::pipeline::watch::curves {
namespace {

constexpr std::size_t kMostEnvironmentBytes = std::size_t{1} << 26;  // it grows by some kilobytes with every start

/// "2 ranks x 4 threads on n1 and 3 others".
std::string places_of(const nlohmann::json& start) {
  const std::int64_t ranks = io::files::whole_number<std::int64_t>(start, "ranks");
  std::string text = fmt::format("{} rank{} x {} thread{}", ranks, ranks == 1 ? "" : "s",
                                 io::files::whole_number<std::int64_t>(start, "threads_per_rank"),
                                 io::files::whole_number<std::int64_t>(start, "threads_per_rank") == 1 ? "" : "s");
  const auto& hosts = start.at("hosts").get_ref<const nlohmann::json::array_t&>();
  if (hosts.empty()) return text;
  text += " on " + hosts.front().at("name").get<std::string>();
  if (hosts.size() > 1) text += fmt::format(" and {} other{}", hosts.size() - 1, hosts.size() == 2 ? "" : "s");
  return text;
}

std::string processors_of(const nlohmann::json& start) {
  std::set<std::string> names;
  for (const nlohmann::json& host : start.at("hosts")) names.insert(host.at("processor").get<std::string>());
  return fmt::format("{}", fmt::join(names, "; "));
}

std::string job_of(const nlohmann::json& start) {
  const auto job = start.find("job");
  if (job == start.end() || job->empty()) return {};
  return fmt::format("; job {} of {}", job->at("id").get<std::string>(), job->at("scheduler").get<std::string>());
}

RunEvent event_of(const nlohmann::json& start) {
  const auto from = start.find("from_step");
  RunEvent event;
  event.kind = EventKind::start;
  event.step = from == start.end() ? 0 : io::files::whole_number<std::int64_t>(start, "from_step");
  event.time = start.at("started").get<std::string>();
  event.text = places_of(start) + job_of(start) + "; " + start.at("program").get<std::string>();
  return event;
}

}  // namespace

void add_starts(const std::filesystem::path& file, RunHistory& history) {
  if (!io::files::is_there(file)) return;
  const std::string name = io::path_in_quotes(file);
  const nlohmann::json json =
      io::files::parse_untrusted_json(io::files::read_small_file(file, kMostEnvironmentBytes), name);
  std::size_t number = 0;
  try {
    for (const nlohmann::json& start : json.at("starts").get_ref<const nlohmann::json::array_t&>()) {
      ++number;
      history.events.add(event_of(start));
      history.environment = fmt::format("{}; {}", places_of(start), processors_of(start));
    }
  } catch (const nlohmann::json::exception&) {
    throw io::Error(io::ErrorKind::bad_data,
                    number == 0 ? fmt::format("{} does not say how the run was started", name)
                                : fmt::format("{}: start {} does not say when and where it was", name, number));
  }
}

}  // namespace chainrule::pipeline::watch::curves
