#include "pipeline/run/run_directory.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/files/published_folder.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::run {
namespace {

constexpr const char* kConfigurationName = "config.cfg";
constexpr const char* kLockName = "lock";
constexpr const char* kHeading = "# A run of chainrule pretrain: the options it was started with.\n";

[[noreturn]] void refuse(const std::string& message) { throw io::Error(io::ErrorKind::cannot_create, message); }

/// Whether path may become a new run: empty, but for what a start that was cut short leaves.
bool holds_nothing(const std::filesystem::path& path) {
  return std::all_of(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator(),
                     [](const auto& entry) {
                       const std::string name = entry.path().filename().string();
                       return name == kLockName || name.starts_with(std::string(kConfigurationName) + ".partial-");
                     });
}

void check_ours(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path))
    refuse(fmt::format("'{}' is there already and is no folder", path.string()));
  if (std::filesystem::exists(path / kConfigurationName) || holds_nothing(path)) return;
  refuse(fmt::format("the folder '{}' is not empty and is no run directory (it has no {})", path.string(),
                     kConfigurationName));
}

std::string holder_text() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("process {} on {} since {:%FT%TZ}", ::getpid(), host, fmt::gmtime(std::time(nullptr)));
}

/// A lock of the open file, which the system frees with the process; it works over NFS too.
int take_lock(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) refuse(fmt::format("cannot create '{}': {}", path.string(), std::strerror(errno)));
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  if (::fcntl(file, F_OFD_SETLK, &request) != 0) {
    const int error = errno;
    char holder[512] = "";
    const ssize_t got = ::pread(file, holder, sizeof holder - 1, 0);
    ::close(file);
    if (error != EAGAIN && error != EACCES) {
      refuse(fmt::format("cannot lock '{}': {}", path.string(), std::strerror(error)));
    }
    refuse(fmt::format("the run directory '{}' is in use by {}", path.parent_path().string(),
                       got > 0 ? std::string(holder, static_cast<std::size_t>(got)) : "another process"));
  }
  const std::string text = holder_text();
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    const int error = errno;
    ::close(file);
    throw io::Error(io::ErrorKind::input_output,
                    fmt::format("cannot write '{}': {}", path.string(), std::strerror(error)));
  }
  return file;
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

std::optional<std::string> value_of(const Configuration& configuration, const std::string& name) {
  for (const auto& [each, value] : configuration) {
    if (each == name) return value;
  }
  return std::nullopt;
}

void set_value(Configuration& configuration, const std::string& name, const std::string& value) {
  for (auto& [each, old] : configuration) {
    if (each == name) {
      old = value;
      return;
    }
  }
  configuration.emplace_back(name, value);
}

RunDirectory RunDirectory::open(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    check_ours(path);
  } else {
    io::files::make_folder(path);
  }
  RunDirectory run(path, take_lock(path / kLockName));
  check_ours(path);  // another process may have come first
  return run;
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

std::optional<Configuration> RunDirectory::configuration() const {
  const std::filesystem::path file = path_ / kConfigurationName;
  if (!std::filesystem::exists(file)) return std::nullopt;
  Configuration configuration;
  std::istringstream lines(io::files::read_file(file));
  for (std::string line; std::getline(lines, line);) {
    line = trimmed(line);
    if (line.empty() || line[0] == '#') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) {
      throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}': no 'name = value' in '{}'", file.string(), line));
    }
    configuration.emplace_back(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
  }
  return configuration;
}

void RunDirectory::write_configuration(const Configuration& configuration) const {
  std::string text = kHeading;
  for (const auto& [name, value] : configuration) text += fmt::format("{} = {}\n", name, value);
  io::files::write_file_atomically(path_ / kConfigurationName, text);
}

void RunDirectory::add_environment(const std::string& json) const {
  const std::filesystem::path file = path_ / "environment.json";
  nlohmann::ordered_json all = {{"starts", nlohmann::ordered_json::array()}};
  if (std::filesystem::exists(file)) {
    try {
      all = io::files::parse_ordered_json(io::files::read_file(file));
      all.at("starts");
    } catch (const nlohmann::json::exception& error) {
      throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}' is damaged: {}", file.string(), error.what()));
    }
  }
  all["starts"].push_back(io::files::parse_ordered_json(json));
  io::files::write_file_atomically(file, io::files::json_text(all, 2) + "\n");
}

void check_same_run(const Configuration& saved, const Configuration& now, const std::vector<std::string>& may_differ) {
  const auto said = [](const std::optional<std::string>& value) { return value ? "'" + *value + "'" : "not set"; };
  Configuration either = saved;
  either.insert(either.end(), now.begin(), now.end());
  for (const auto& [name, unused] : either) {
    if (std::find(may_differ.begin(), may_differ.end(), name) != may_differ.end()) continue;
    const auto before = value_of(saved, name);
    const auto after = value_of(now, name);
    if (before == after) continue;
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("option '--{}' is {} in this run and {} now; it may not change within a "
                                     "run (choose another --run)",
                                     name, said(before), said(after)));
  }
}

}  // namespace chainrule::pipeline::run
