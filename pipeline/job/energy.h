#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace chainrule::pipeline::job {

/// Joules of this node since the meter was made, from the counters of its processors (powercap) or of the node (Cray).
/// What else runs on the node counts too.
class EnergyMeter {
 public:
  /// Counters below root. Where none can be read (they are often root's alone) the meter stands still.
  explicit EnergyMeter(const std::filesystem::path& root = "/");

  /// Counters wrap around within an hour or less: to be called every some seconds. Reads at most every ten seconds.
  void look();

  /// Reads once more. Nothing where no counter can be read.
  std::optional<double> joules();

 private:
  struct Counter {
    std::filesystem::path file;
    double joules_per_unit = 0;
    std::uint64_t range = 0;  ///< behind which it begins again at 0; 0: never
    std::uint64_t last = 0;
  };
  void add(const std::filesystem::path& file, double joules_per_unit, std::uint64_t range);
  void read();

  std::vector<Counter> counters_;
  double joules_ = 0;
  std::chrono::steady_clock::time_point looked_at_ = {};
};

}  // namespace chainrule::pipeline::job
