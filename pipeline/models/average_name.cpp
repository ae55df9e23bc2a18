#include "pipeline/models/average_name.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <string>
#include <string_view>

#include "io/files/presence.h"
#include "io/quote.h"
#include "io/tensors/manifest.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::models {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKept = "average";
constexpr std::string_view kLast = "last:";
constexpr std::string_view kMean = "mean:";

bool is_run(const fs::path& folder) {
  return io::files::presence_of(folder / "checkpoints") == io::files::Presence::folder;
}

bool is_checkpoint(const fs::path& folder) { return io::files::is_there(folder / io::tensors::kManifestName); }

/// Whole numbers between commas; empty where it is anything else.
std::vector<std::int64_t> numbers_of(std::string_view text) {
  std::vector<std::int64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;; ++at) {
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number < 0) return {};
    numbers.push_back(number);
    at = stop;
    if (at == end) return numbers;
    if (*at != ',') return {};
  }
}

/// Longer names than file systems have cannot be there, and are not looked for.
bool is_there(const fs::path& path) {
  constexpr std::size_t kLongestName = 255;
  return path.filename().string().size() <= kLongestName && io::files::is_there(path);
}

[[noreturn]] void refuse_name(const fs::path& path, const std::string& wanted) {
  throw failure::Error(failure::ExitCode::usage, fmt::format("{}: {}", io::path_in_quotes(path), wanted));
}

std::size_t count_of(const fs::path& path, std::string_view text) {
  const std::vector<std::int64_t> numbers = numbers_of(text);
  if (numbers.size() == 1 && numbers[0] >= 1 && numbers[0] <= static_cast<std::int64_t>(kMostAveraged)) {
    return static_cast<std::size_t>(numbers[0]);
  }
  refuse_name(path, fmt::format("last:K is the mean of the K newest checkpoints, K from 1 to {}", kMostAveraged));
}

std::vector<std::int64_t> steps_of(const fs::path& path, std::string_view text) {
  std::vector<std::int64_t> steps = numbers_of(text);
  const bool rise = std::adjacent_find(steps.begin(), steps.end(), std::greater_equal<>()) == steps.end();
  if (!steps.empty() && steps.size() <= kMostAveraged && rise) return steps;
  refuse_name(path,
              fmt::format("mean:STEP,STEP... names from 1 to {} steps, each later than the one before", kMostAveraged));
}

}  // namespace

std::optional<AverageName> parse_average_name(const fs::path& path) {
  const fs::path place = path.has_filename() ? path : path.parent_path();  // a / at the end
  const std::string name = place.filename().string();
  const bool last = name.starts_with(kLast);
  const bool mean = name.starts_with(kMean);
  if ((!last && !mean && name != kKept) || is_there(place)) return std::nullopt;
  AverageName average;
  average.of = place.has_parent_path() ? place.parent_path() : ".";
  const bool of_run = is_run(average.of);
  if (!of_run && (last || mean || !is_checkpoint(average.of))) return std::nullopt;
  if (last) {
    average.kind = AverageName::Kind::last;
    average.count = count_of(path, std::string_view(name).substr(kLast.size()));
  } else if (mean) {
    average.kind = AverageName::Kind::mean;
    average.steps = steps_of(path, std::string_view(name).substr(kMean.size()));
  }
  return average;
}

fs::path mean_path(const fs::path& run, const std::vector<std::int64_t>& steps) {
  return run / fmt::format("{}{}", kMean, fmt::join(steps, ","));
}

fs::path kept_average_path(const fs::path& checkpoint) { return checkpoint / kKept; }

}  // namespace chainrule::pipeline::models
