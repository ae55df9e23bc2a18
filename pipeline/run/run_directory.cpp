#include "pipeline/run/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"
#include "io/files/presence.h"
#include "io/files/published_folder.h"
#include "io/files/regular_file.h"
#include "io/quote.h"
#include "pipeline/run/file_lock.h"
#include "pipeline/run/hold_file.h"
#include "pipeline/run/process_identity.h"

namespace chainrule::pipeline::run {
namespace {

constexpr const char* kHeading = "# A run of chainrule pretrain: the options it was started with.\n";

[[noreturn]] void refuse(const std::string& message) { throw io::Error(io::ErrorKind::cannot_create, message); }

/// Whether path may become a new run: empty, but for what a start that was cut short leaves.
bool holds_nothing(const std::filesystem::path& path) {
  const std::vector<std::filesystem::path> entries = io::files::list_folder(path);
  return std::all_of(entries.begin(), entries.end(), [&](const std::filesystem::path& entry) {
    const std::string name = entry.filename().string();
    return name == kLockName || belongs_to_hold(entry, path / kLockName) ||
           name.starts_with(std::string(kConfigurationName) + ".partial-");
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

constexpr const char* kNobody = "another process";

/// What the locked file says.
std::string said_by(int file) {
  char holder[512] = "";
  const ssize_t got = ::pread(file, holder, sizeof holder - 1, 0);
  return got > 0 ? std::string(holder, static_cast<std::size_t>(got)) : kNobody;
}

int open_lock_file(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666);
  if (file < 0) refuse(fmt::format("cannot create '{}': {}", path.string(), std::strerror(errno)));
  try {
    io::files::require_regular(file, path);
  } catch (...) {
    ::close(file);
    throw;
  }
  return file;
}

/// Ends what a holder without a lock writes into the file.
constexpr const char* kWithoutLocks = ", without locks";

/// Whether the last one that wrote into the file had a lock, which cannot be seen where there are none, and may have it
/// still.
bool may_be_locked_elsewhere(int file) {
  const std::string said = said_by(file);
  if (said == kNobody || said.ends_with(kWithoutLocks)) return false;
  pid_t process = 0;
  char host[256] = "";
  const bool is_of_here = std::sscanf(said.c_str(), "process %d on %255s since", &process, host) == 2 && process > 0 &&
                          host == this_process().host;
  return !is_of_here || ::kill(process, 0) == 0 || errno != ESRCH;
}

}  // namespace

RunDirectory RunDirectory::open(const std::filesystem::path& path) {
  std::error_code error;
  if (io::files::is_there(path)) {
    check_ours(path);
  } else {
    io::files::make_folder(path);
  }
  RunDirectory run(path, open_lock_file(path / kLockName), holder_text());
  run.take();
  check_ours(path);  // another process may have come first
  return run;
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      holder_(std::move(other.holder_)),
      hold_(std::move(other.hold_)) {}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

/// Whoever has a lock writes that before it looks for holds, whoever has none looks what is written when it has its
/// hold: of two that come at once at least one sees the other.
void RunDirectory::take() {
  const std::filesystem::path file = path_ / kLockName;
  const std::string what = fmt::format("the run directory '{}'", path_.string());
  switch (try_lock(lock_, file)) {
    case Locking::is_locked: refuse(fmt::format("{} is in use by {}", what, said_by(lock_)));
    case Locking::locked: require_no_hold(file, what); break;
    case Locking::no_locks:
      hold_ = std::make_unique<HoldFile>(file, what);
      if (may_be_locked_elsewhere(lock_)) {
        refuse(
            fmt::format("{} may be in use by {}: it had a lock, and here the file system has none that would tell; "
                        "where that process has ended, remove '{}'",
                        what, said_by(lock_), file.string()));
      }
      holder_ += kWithoutLocks;
  }
  if (::ftruncate(lock_, 0) != 0 ||
      ::pwrite(lock_, holder_.data(), holder_.size(), 0) != static_cast<ssize_t>(holder_.size())) {
    throw io::Error(io::ErrorKind::input_output,
                    fmt::format("cannot write '{}': {}", file.string(), std::strerror(errno)));
  }
  if (!hold_) require_no_hold(file, what);
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
  if (!io::files::is_there(lock)) return std::nullopt;
  const io::files::RegularFile file(lock);
  if (look_at_lock(file.descriptor(), lock) == Locking::is_locked) return said_by(file.descriptor());
  return holder_by_file(lock);
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
      all.at("starts").get_ref<const nlohmann::ordered_json::array_t&>();  // throws where it is anything else
    } catch (const nlohmann::json::exception& error) {
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("{} is damaged: {}", io::path_in_quotes(file), error.what()));
    }
  }
  all["starts"].push_back(io::files::parse_ordered_json(json));
  io::files::write_file_atomically(file, io::files::json_text(all, 2) + "\n");
}

}  // namespace chainrule::pipeline::run
