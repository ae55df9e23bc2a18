#pragma once
#include <optional>
#include <vector>

namespace chainrule::pipeline::pretrain::step {

/// One number of each of the last steps, by which a step that does not belong to them is told.
class RecentValues {
 public:
  static constexpr std::size_t kMost = 128;
  static constexpr double kDeviations = 6;

  RecentValues() = default;
  /// Oldest first; the newest kMost count.
  explicit RecentValues(std::vector<double> values);

  /// The value above which one is an outlier: kDeviations standard deviations above the mean. Empty until there are
  /// kMost. The same bits wherever the same values were added.
  std::optional<double> limit() const;
  void add(double value);
  const std::vector<double>& values() const { return values_; }

 private:
  std::vector<double> values_;
};

/// Of steps whose loss and gradient are finite, taken or passed over: a level that has changed for good is soon the
/// usual one.
struct RecentSteps {
  RecentValues losses;
  RecentValues gradient_norms;
};

}  // namespace chainrule::pipeline::pretrain::step
