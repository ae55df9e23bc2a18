#include "pipeline/evaluate/tally/ratio_of_sums.h"

#include <algorithm>
#include <cmath>

namespace chainrule::pipeline::evaluate::tally {

void RatioOfSums::add(double y, double x) {
  ++documents_;
  y_ += y;
  x_ += x;
  yy_ += y * y;
  xy_ += x * y;
  xx_ += x * x;
}

std::optional<double> RatioOfSums::ratio() const { return x_ == 0 ? std::nullopt : std::optional(y_ / x_); }

std::optional<double> RatioOfSums::standard_error() const {
  if (documents_ < 2 || x_ == 0) return std::nullopt;
  const auto documents = static_cast<double>(documents_);
  const double ratio = y_ / x_;
  const double squares = std::max(0.0, yy_ - 2 * ratio * xy_ + ratio * ratio * xx_);
  return std::sqrt(documents / (documents - 1) * squares) / x_;
}

std::optional<double> RatioOfSums::standard_deviation() const {
  const std::optional<double> error = standard_error();
  return error ? std::optional(*error * std::sqrt(static_cast<double>(documents_))) : std::nullopt;
}

}  // namespace chainrule::pipeline::evaluate::tally
