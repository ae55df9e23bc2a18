#include "pipeline/pretrain/mix/mix_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/error.h"
#include "io/quote.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain::mix {
namespace {
constexpr const char* kName = "mix";
}  // namespace

Mix mix_in(const run::Configuration& configuration, const std::filesystem::path& file) {
  std::vector<std::string> entries;
  for (const auto& [name, value] : configuration) {
    if (name == kName) entries.push_back(value);
  }
  if (entries.empty()) return {};
  try {
    return parse_mix(entries);
  } catch (const failure::Error& refusal) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", io::path_in_quotes(file), refusal.what()));
  }
}

void set_mix(run::Configuration& configuration, const Mix& mix) {
  const auto first = std::ranges::find(configuration, kName, &run::Configuration::value_type::first);
  if (first == configuration.end()) return;
  const auto at = first - configuration.begin();
  std::erase_if(configuration, [](const auto& line) { return line.first == kName; });
  run::Configuration lines;
  for (const std::string& entry : to_entries(mix)) lines.emplace_back(kName, entry);
  configuration.insert(configuration.begin() + at, lines.begin(), lines.end());
}

void check_same_kind(const run::Configuration& saved, const run::Configuration& now) {
  const bool had = run::value_of(saved, kName).has_value();
  if (had == run::value_of(now, kName).has_value()) return;
  throw failure::Error(
      failure::ExitCode::usage,
      fmt::format("option '--mix' is {}set in this run and {}set now; that may not change within a run "
                  "(choose another --run, with --init to go on from its weights)",
                  had ? "" : "not ", had ? "not " : ""));
}

}  // namespace chainrule::pipeline::pretrain::mix
