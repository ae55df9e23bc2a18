#include "pipeline/convert/model_tensors.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/quote.h"
#include "pipeline/models/parameter_values.h"

namespace chainrule::pipeline::convert {

using model::shape::Parameter;
using models::external::Piece;

ModelTensors::ModelTensors(const model::weights::Weights& weights, const model::shape::ParameterTable& table,
                           const models::external::TensorMap& map)
    : weights_(weights) {
  for (const Parameter& parameter : table.parameters()) {
    std::int64_t row = 0;
    for (const Piece& piece : map.at(parameter.name)) {
      places_[piece.tensor] = {&parameter, row, piece.rows, piece.transposed};
      row += piece.rows;
    }
  }
}

std::vector<std::string> ModelTensors::names() const {
  std::vector<std::string> names;
  for (const auto& [name, place] : places_) names.push_back(name);
  return names;
}

const ModelTensors::Place& ModelTensors::place_of(const std::string& name) const {
  const auto found = places_.find(name);
  if (found != places_.end()) return found->second;
  throw io::Error(io::ErrorKind::bad_data, fmt::format("the model has no tensor {}", io::in_quotes(name)));
}

std::vector<std::int64_t> ModelTensors::shape(const std::string& name) const {
  const Place& place = place_of(name);
  if (!place.parameter->is_matrix()) return {place.rows};
  const std::int64_t columns = place.parameter->shape[1];
  return place.transposed ? std::vector{columns, place.rows} : std::vector{place.rows, columns};
}

void ModelTensors::read(const std::string& name, std::int64_t first_row, std::span<float> values) const {
  const Place& place = place_of(name);
  const auto count = static_cast<std::int64_t>(values.size());
  const std::int64_t columns = models::whole(*place.parameter).columns;
  if (!place.transposed) {
    return models::read_section(weights_, *place.parameter, {place.first_row + first_row, count / columns, 0, columns},
                                values.data());
  }
  const std::int64_t width = count / place.rows;  // of our rows
  std::vector<float> section(values.size());
  models::read_section(weights_, *place.parameter, {place.first_row, place.rows, first_row, width}, section.data());
  for (std::int64_t row = 0; row < place.rows; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      values[static_cast<std::size_t>(column * place.rows + row)] =
          section[static_cast<std::size_t>(row * width + column)];
    }
  }
}

models::external::TensorMap own_map(const model::shape::ParameterTable& table) {
  models::external::TensorMap map;
  for (const Parameter& parameter : table.parameters()) map[parameter.name] = {{parameter.name, parameter.shape[0]}};
  return map;
}

}  // namespace chainrule::pipeline::convert
