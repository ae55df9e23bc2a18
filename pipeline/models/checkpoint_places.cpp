#include "pipeline/models/checkpoint_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "io/error.h"
#include "io/files/presence.h"

namespace chainrule::pipeline::models {
namespace {

constexpr std::string_view kPrefix = "step-";

}  // namespace

std::filesystem::path checkpoint_folder(const std::filesystem::path& run, std::int64_t step) {
  return run / "checkpoints" / fmt::format("{}{:08}", kPrefix, step);
}

std::vector<CheckpointPlace> list_checkpoints(const std::filesystem::path& run) {
  std::vector<CheckpointPlace> places;
  const std::filesystem::path folder = run / "checkpoints";
  const io::files::Presence presence = io::files::presence_of(folder);
  if (presence == io::files::Presence::absent) return places;
  if (presence != io::files::Presence::folder) {
    throw io::Error(io::ErrorKind::missing_input, fmt::format("'{}' is no folder", folder.string()));
  }
  for (const std::filesystem::path& entry : io::files::list_folder(folder)) {
    const std::string name = entry.filename().string();
    if (!name.starts_with(kPrefix)) continue;
    std::int64_t step = 0;
    const char* const end = name.data() + name.size();
    const auto [stop, failure] = std::from_chars(name.data() + kPrefix.size(), end, step);
    if (failure != std::errc() || stop != end || entry != checkpoint_folder(run, step)) continue;
    places.push_back({step, entry});
  }
  std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.step > b.step; });
  return places;
}

}  // namespace chainrule::pipeline::models
