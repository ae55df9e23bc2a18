#include "pipeline/run/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/files/presence.h"
#include "io/files/published_folder.h"
#include "pipeline/run/file_lock.h"

namespace chainrule::pipeline::run {
namespace {

constexpr const char* kHeading = "# A run of chainrule pretrain: the options it was started with.\n";

[[noreturn]] void refuse(const std::string& message) { throw io::Error(io::ErrorKind::cannot_create, message); }

/// Whether path may become a new run: empty, but for what a start that was cut short leaves.
bool holds_nothing(const std::filesystem::path& path) {
  const std::vector<std::filesystem::path> entries = io::files::list_folder(path);
  return std::all_of(entries.begin(), entries.end(), [](const std::filesystem::path& entry) {
    const std::string name = entry.filename().string();
    return name == kLockName || name.starts_with(std::string(kConfigurationName) + ".partial-");
  });
}

void check_ours(const std::filesystem::path& path) {
  if (io::files::presence_of(path) != io::files::Presence::folder) {
    refuse(fmt::format("'{}' is there already and is no folder", path.string()));
  }
  if (io::files::is_there(path / kConfigurationName) || holds_nothing(path)) return;
  refuse(fmt::format("the folder '{}' is not empty and is no run directory (it has no {})", path.string(),
                     kConfigurationName));
}

/// What the locked file says.
std::string said_by(int file) {
  char holder[512] = "";
  const ssize_t got = ::pread(file, holder, sizeof holder - 1, 0);
  return got > 0 ? std::string(holder, static_cast<std::size_t>(got)) : std::string("another process");
}

/// The file as it is locked; it says who holds it.
int take_lock(const std::filesystem::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) refuse(fmt::format("cannot create '{}': {}", path.string(), std::strerror(errno)));
  bool free = false;
  try {
    free = try_lock(file, path);
  } catch (...) {
    ::close(file);
    throw;
  }
  if (!free) {
    const std::string holder = said_by(file);
    ::close(file);
    refuse(fmt::format("the run directory '{}' is in use by {}", path.parent_path().string(), holder));
  }
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    const int error = errno;
    ::close(file);
    throw io::Error(io::ErrorKind::input_output,
                    fmt::format("cannot write '{}': {}", path.string(), std::strerror(error)));
  }
  return file;
}

}  // namespace

RunDirectory RunDirectory::open(const std::filesystem::path& path) {
  std::error_code error;
  if (io::files::is_there(path)) {
    check_ours(path);
  } else {
    io::files::make_folder(path);
  }
  std::string holder = holder_text();
  const int lock = take_lock(path / kLockName, holder);
  RunDirectory run(path, lock, std::move(holder));
  check_ours(path);  // another process may have come first
  return run;
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)), holder_(std::move(other.holder_)) {}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

void require_held(const std::filesystem::path& path, const std::string& holder) {
  constexpr int kLooks = 20;
  std::string seen = "nothing";
  for (int look = 0; look < kLooks; ++look) {
    if (look > 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    if (!io::files::is_there(path / kLockName)) continue;
    seen = io::files::read_file(path / kLockName);
    if (seen == holder) return;
  }
  refuse(fmt::format(
      "the run directory '{}' is not the one that rank 0 sees: its {} says '{}' here, '{}' there; it must lie "
      "on a file system that all ranks share",
      path.string(), kLockName, seen, holder));
}

std::optional<std::string> holder_of(const std::filesystem::path& path) {
  const std::filesystem::path lock = path / kLockName;
  const io::files::Presence presence = io::files::presence_of(lock);
  if (presence == io::files::Presence::absent) return std::nullopt;
  const int file = presence == io::files::Presence::file ? ::open(lock.c_str(), O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("cannot open '{}': {}", lock.string(),
                                presence == io::files::Presence::file ? std::strerror(errno) : "it is no file"));
  }
  std::optional<std::string> holder;
  try {
    if (is_locked(file, lock)) holder = said_by(file);
  } catch (...) {
    ::close(file);
    throw;
  }
  ::close(file);
  return holder;
}

std::optional<Configuration> RunDirectory::configuration() const {
  const std::filesystem::path file = path_ / kConfigurationName;
  if (!io::files::is_there(file)) return std::nullopt;
  return read_configuration(file);
}

void RunDirectory::write_configuration(const Configuration& configuration) const {
  io::files::write_file_atomically(path_ / kConfigurationName, kHeading + to_text(configuration));
}

void RunDirectory::add_environment(const std::string& json) const {
  const std::filesystem::path file = path_ / kEnvironmentName;
  nlohmann::ordered_json all = {{"starts", nlohmann::ordered_json::array()}};
  if (io::files::is_there(file)) {
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

}  // namespace chainrule::pipeline::run
