#include "pipeline/show/percent.h"

#include <fmt/format.h>

namespace chainrule::pipeline::show {

std::string percent(double probability) {
  const double value = 100 * probability;
  if (!(value > 0) || value >= 0.1) return fmt::format("{:.2f} %", value);
  if (value >= 0.01) return fmt::format("{:.3f} %", value);
  return value >= 1e-4 ? fmt::format("{:.4f} %", value) : fmt::format("{:.1e} %", value);
}

}  // namespace chainrule::pipeline::show
