#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/run/configuration.h"
#include "pipeline/run/hold_file.h"

namespace chainrule::pipeline::run {

/// The options that a run was begun with.
inline constexpr const char* kConfigurationName = "config.cfg";
/// What is told of each start of the program.
inline constexpr const char* kEnvironmentName = "environment.json";
/// Locked while a process works on the run; says which. See HoldFile for file systems without locks.
inline constexpr const char* kLockName = "lock";

/// A run directory in the hands of one process, which alone writes there: config.cfg, environment.json, metrics.jsonl,
/// checkpoints/ and the lock. The lock goes with the process, however that ends. Where the file system has no locks, a
/// HoldFile stands in for it.
class RunDirectory {
 public:
  /// Makes the folder where there is none, and locks it. Throws io::Error cannot_create: a non-empty folder that is no
  /// run directory, one that another process has locked (naming it), or one that cannot be made or written.
  static RunDirectory open(const std::filesystem::path& path);

  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  ~RunDirectory();

  const std::filesystem::path& path() const { return path_; }
  /// Who holds it, as its lock says.
  const std::string& holder() const { return holder_; }
  /// To be asked before anything is published: see HoldFile::require(). A lock cannot be lost.
  void require_hold() const {
    if (hold_) hold_->require();
  }
  /// Of the HoldFile; empty where the lock holds.
  std::string hold_id() const { return hold_ ? hold_->id() : ""; }

  /// config.cfg; empty in a new run. Throws io::Error.
  std::optional<Configuration> configuration() const;
  void write_configuration(const Configuration& configuration) const;

  /// Adds one start of the program, a JSON object, to environment.json.
  void add_environment(const std::string& json) const;

 private:
  RunDirectory(std::filesystem::path path, int lock, std::string holder)
      : path_(std::move(path)), lock_(lock), holder_(std::move(holder)) {}
  void take();

  std::filesystem::path path_;
  int lock_;
  std::string holder_;
  std::unique_ptr<HoldFile> hold_;
};

/// Throws io::Error cannot_create unless path is, as this process sees it, the run directory that holder has locked:
/// what ranks write must come together in one place. Waits some seconds for a network file system to show it.
void require_held(const std::filesystem::path& path, const std::string& holder);

/// Who works on the run in the folder path now, as its lock says ("another process" where it says nothing); empty where
/// nobody does. Disturbs nobody who starts meanwhile. Throws io::Error where that cannot be seen.
std::optional<std::string> holder_of(const std::filesystem::path& path);

}  // namespace chainrule::pipeline::run
