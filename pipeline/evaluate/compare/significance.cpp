#include "pipeline/evaluate/compare/significance.h"

#include <cmath>
#include <numbers>

namespace chainrule::pipeline::evaluate::compare {

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
