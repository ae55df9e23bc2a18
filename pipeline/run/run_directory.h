#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chainrule::pipeline::run {

/// Options and their values as --config reads them, in order.
using Configuration = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string> value_of(const Configuration& configuration, const std::string& name);
/// Sets or adds a line.
void set_value(Configuration& configuration, const std::string& name, const std::string& value);

/// A run directory in the hands of one process, which alone writes there: config.cfg, environment.json, metrics.jsonl,
/// checkpoints/ and the lock. The lock goes with the process, however that ends.
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

  /// config.cfg; empty in a new run. Throws io::Error.
  std::optional<Configuration> configuration() const;
  void write_configuration(const Configuration& configuration) const;

  /// Adds one start of the program, a JSON object, to environment.json.
  void add_environment(const std::string& json) const;

 private:
  RunDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::filesystem::path path_;
  int lock_;
};

/// Throws Error (usage) naming the first option in which a run started again differs from what it was started with,
/// except for those that may_differ.
void check_same_run(const Configuration& saved, const Configuration& now, const std::vector<std::string>& may_differ);

}  // namespace chainrule::pipeline::run
