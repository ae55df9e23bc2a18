#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace chainrule::pipeline::watch::curves {

/// A curve of any length in bounded memory: values of neighbouring steps are put together in buckets of equal widths,
/// which double whenever there would be too many of them. No minimum and no maximum is lost.
class ThinnedSeries {
 public:
  struct Bucket {
    std::int64_t first_step = 0;  ///< with a value in it
    std::int64_t last_step = 0;
    std::int64_t values = 0;  ///< at least one, all finite
    double minimum = 0;
    double maximum = 0;
    double sum = 0;
    bool behind_gap = false;  ///< a value that was not finite lies between it and the one before

    double mean() const { return sum / static_cast<double>(values); }
    double middle_step() const { return (static_cast<double>(first_step) + static_cast<double>(last_step)) / 2; }
  };

  explicit ThinnedSeries(std::size_t most_buckets = 1024) : most_buckets_(most_buckets) {}

  /// Steps ascend. A value that is not finite is counted, and leaves a gap.
  void add(std::int64_t step, double value);
  /// Doubles the widths until there are at most so many buckets, at least 1.
  void coarsen(std::size_t most_buckets);

  const std::vector<Bucket>& buckets() const { return buckets_; }
  std::int64_t values() const { return values_; }
  std::int64_t nonfinite() const { return nonfinite_; }
  /// Of the last finite value; not a number where there is none.
  double last() const;
  std::int64_t last_step() const { return last_step_; }
  /// The least and the greatest finite value; not a number where there is none.
  double minimum() const;
  double maximum() const;

 private:
  void double_width();

  std::size_t most_buckets_;
  std::int64_t width_ = 1;  // steps of a bucket: that of a step is step / width_
  std::vector<Bucket> buckets_;
  bool gap_ = false;  // since the last finite value
  std::int64_t values_ = 0;
  std::int64_t nonfinite_ = 0;
  double last_ = 0;
  std::int64_t last_step_ = 0;
};

}  // namespace chainrule::pipeline::watch::curves
