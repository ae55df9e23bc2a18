#include "pipeline/watch/curves/thinned_series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace chainrule::pipeline::watch::curves {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void ThinnedSeries::add(std::int64_t step, double value) {
  if (!std::isfinite(value)) {
    ++nonfinite_;
    gap_ = true;
    return;
  }
  ++values_;
  last_ = value;
  last_step_ = step;
  while (!buckets_.empty() && buckets_.size() >= most_buckets_ && buckets_.back().last_step / width_ != step / width_) {
    double_width();
  }
  if (buckets_.empty() || buckets_.back().last_step / width_ != step / width_) {
    buckets_.push_back({step, step, 1, value, value, value, gap_ && !buckets_.empty()});
  } else {
    Bucket& bucket = buckets_.back();
    bucket.last_step = step;
    ++bucket.values;
    bucket.minimum = std::min(bucket.minimum, value);
    bucket.maximum = std::max(bucket.maximum, value);
    bucket.sum += value;
  }
  gap_ = false;
}

void ThinnedSeries::double_width() {
  width_ *= 2;
  std::size_t kept = 0;
  for (std::size_t i = 1; i < buckets_.size(); ++i) {
    const Bucket& next = buckets_[i];
    Bucket& last = buckets_[kept];
    if (last.first_step / width_ != next.first_step / width_) {
      buckets_[++kept] = next;
      continue;
    }
    last.last_step = next.last_step;
    last.values += next.values;
    last.minimum = std::min(last.minimum, next.minimum);
    last.maximum = std::max(last.maximum, next.maximum);
    last.sum += next.sum;
  }
  if (!buckets_.empty()) buckets_.resize(kept + 1);
}

void ThinnedSeries::coarsen(std::size_t most_buckets) {
  most_buckets_ = most_buckets;
  while (buckets_.size() > most_buckets) double_width();
}

double ThinnedSeries::last() const { return values_ == 0 ? kNone : last_; }

double ThinnedSeries::minimum() const {
  double least = kNone;
  for (const Bucket& bucket : buckets_) least = std::fmin(least, bucket.minimum);
  return least;
}

double ThinnedSeries::maximum() const {
  double most = kNone;
  for (const Bucket& bucket : buckets_) most = std::fmax(most, bucket.maximum);
  return most;
}

}  // namespace chainrule::pipeline::watch::curves
