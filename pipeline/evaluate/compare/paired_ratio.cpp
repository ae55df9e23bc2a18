#include "pipeline/evaluate/compare/paired_ratio.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chainrule::pipeline::evaluate::compare {

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

double p_value(double value, double standard_error) {
  if (standard_error == 0) return value == 0 ? 1 : 0;
  return std::erfc(std::abs(value) / standard_error / std::numbers::sqrt2);
}

double normal_quantile(double p) {
  // Bisection of the distribution function: slow and certain.
  double low = -40;
  double high = 40;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

double documents_needed(double deviation_of_one_document, double difference, double power) {
  const double reach = (normal_quantile(0.975) + normal_quantile(power)) * deviation_of_one_document / difference;
  return std::ceil(reach * reach);
}

}  // namespace chainrule::pipeline::evaluate::compare
