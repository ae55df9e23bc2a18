#include "pipeline/pretrain/metrics/metrics_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/files/presence.h"

namespace chainrule::pipeline::pretrain::metrics {
namespace {

/// The step of a line; beyond every step where the line is not whole.
std::int64_t step_of(std::string_view line) {
  const auto json = io::files::parse_json_if_valid(line);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) return INT64_MAX;
  return json["step"].get<std::int64_t>();
}

std::string lines_up_to(const std::string& content, std::int64_t last_step) {
  std::string kept;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = content.find('\n', at);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(content).substr(at, end - at);
    if (step_of(line) <= last_step) kept.append(line).push_back('\n');
    at = end + 1;
  }
  return kept;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::int64_t last_step) : path_(path) { cut(last_step); }

void MetricsLog::cut(std::int64_t last_step) {
  if (io::files::is_there(path_)) {
    const std::string content = io::files::read_file(path_);
    if (const std::string kept = lines_up_to(content, last_step); kept != content) {
      io::files::write_file_atomically(path_, kept);
    }
  }
  if (file_ >= 0) ::close(file_);
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) {
    throw io::Error(io::ErrorKind::cannot_create,
                    fmt::format("cannot create '{}': {}", path_.string(), std::strerror(errno)));
  }
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
