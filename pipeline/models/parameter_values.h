#pragma once
#include <cstdint>

#include "model/shape/parameter.h"
#include "model/weights/weights.h"

namespace chainrule::pipeline::models {

/// Some rows and columns of a parameter; a vector is one column.
struct Section {
  std::int64_t first_row = 0;
  std::int64_t rows = 0;
  std::int64_t first_column = 0;
  std::int64_t columns = 0;
};

/// The whole of a parameter.
Section whole(const model::shape::Parameter& parameter);

/// values [rows, columns] = a section of a parameter in float32, wherever the weights lie.
void read_section(const model::weights::Weights& weights, const model::shape::Parameter& parameter,
                  const Section& section, float* values);

}  // namespace chainrule::pipeline::models
