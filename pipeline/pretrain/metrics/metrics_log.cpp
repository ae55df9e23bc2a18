#include "pipeline/pretrain/metrics/metrics_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::pretrain::metrics {
namespace {

/// The step of a line; nothing where it has none, as a damaged one.
std::optional<std::int64_t> step_of(std::string_view line) {
  const auto json = io::files::parse_json_if_valid(line);
  if (!json.is_object() || !json.contains("step") || !io::files::is_whole<std::int64_t>(json["step"]))
    return std::nullopt;
  return json["step"].get<std::int64_t>();
}

struct Lines {
  std::string kept;
  std::vector<std::int64_t> steps;    ///< of those that are kept
  std::vector<std::int64_t> damaged;  ///< their numbers
};

/// A last line without its end is what a kill leaves, and no damage.
Lines lines_up_to(const std::string& content, std::int64_t last_step) {
  Lines lines;
  std::int64_t number = 1;
  for (std::size_t at = 0; at < content.size(); ++number) {
    const std::size_t end = content.find('\n', at);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(content).substr(at, end - at);
    const std::optional<std::int64_t> step = step_of(line);
    if (!step) {
      lines.damaged.push_back(number);
    } else if (*step <= last_step) {
      lines.kept.append(line).push_back('\n');
      lines.steps.push_back(*step);
    }
    at = end + 1;
  }
  return lines;
}

struct Range {
  std::int64_t first;
  std::int64_t last;
};

/// Those from first to last that are not among numbers, which are in order.
std::vector<Range> gaps_in(const std::vector<std::int64_t>& numbers, std::int64_t first, std::int64_t last) {
  std::vector<Range> gaps;
  for (const std::int64_t number : numbers) {
    if (number > first) gaps.push_back({first, number - 1});
    first = std::max(first, number + 1);
  }
  if (first <= last) gaps.push_back({first, last});
  return gaps;
}

/// Numbers in order, those together that follow each other.
std::vector<Range> ranges_of(const std::vector<std::int64_t>& numbers) {
  std::vector<Range> ranges;
  for (const std::int64_t number : numbers) {
    if (ranges.empty() || ranges.back().last + 1 != number) ranges.push_back({number, number});
    ranges.back().last = number;
  }
  return ranges;
}

/// "step 7", "steps 2 to 4, 7"; the first few.
std::string counted(const char* what, const std::vector<Range>& ranges) {
  constexpr std::size_t kMost = 5;
  const bool one = ranges.size() == 1 && ranges[0].first == ranges[0].last;
  std::string text = fmt::format("{}{} ", what, one ? "" : "s");
  for (std::size_t i = 0; i < std::min(ranges.size(), kMost); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", ranges[i].first);
    if (ranges[i].last != ranges[i].first) text += fmt::format(" to {}", ranges[i].last);
  }
  return ranges.size() > kMost ? text + " and others" : text;
}

/// A copy of the file beside it, under a name that is not there yet.
std::filesystem::path keep_damaged(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::path copy = path.string() + ".damaged";
  for (int count = 2; io::files::is_there(copy); ++count) copy = fmt::format("{}.damaged-{}", path.string(), count);
  io::files::write_file_atomically(copy, content);
  return copy;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::int64_t last_step, std::int64_t first_step)
    : path_(path) {
  const std::vector<Range> missing = gaps_in(cut_to(last_step), first_step, last_step);
  if (missing.empty()) return;
  run::warn(fmt::format("{} lacks {} of this run", io::path_in_quotes(path_), counted("step", missing)));
}

void MetricsLog::cut(std::int64_t last_step) { cut_to(last_step); }

std::vector<std::int64_t> MetricsLog::cut_to(std::int64_t last_step) {
  Lines lines;
  if (io::files::is_there(path_)) {
    const std::string content = io::files::read_file(path_);
    lines = lines_up_to(content, last_step);
    if (!lines.damaged.empty()) {
      const std::filesystem::path copy = keep_damaged(path_, content);
      run::warn(fmt::format("{}: cannot read {}, left out; the file as it was is kept as {}", io::path_in_quotes(path_),
                            counted("line", ranges_of(lines.damaged)), io::path_in_quotes(copy)));
    }
    if (lines.kept != content) io::files::write_file_atomically(path_, lines.kept);
  }
  if (file_ >= 0) ::close(file_);
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) {
    throw io::Error(io::ErrorKind::cannot_create,
                    fmt::format("cannot create '{}': {}", path_.string(), std::strerror(errno)));
  }
  return lines.steps;
}

MetricsLog::~MetricsLog() {
  if (file_ >= 0) ::close(file_);
}

void MetricsLog::append(const std::string& json) {
  const std::string line = json + "\n";
  const ssize_t wrote = ::write(file_, line.data(), line.size());
  if (wrote == static_cast<ssize_t>(line.size())) return;
  const std::string why = wrote < 0 ? std::strerror(errno) : fmt::format("{} of {} bytes fit", wrote, line.size());
  throw io::Error(io::ErrorKind::input_output, fmt::format("cannot write '{}': {}", path_.string(), why));
}

void MetricsLog::sync() {
  if (::fsync(file_) != 0) {
    throw io::Error(io::ErrorKind::input_output,
                    fmt::format("cannot sync '{}': {}", path_.string(), std::strerror(errno)));
  }
}

}  // namespace chainrule::pipeline::pretrain::metrics
