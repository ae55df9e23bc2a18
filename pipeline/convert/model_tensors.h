#pragma once
#include <map>
#include <string>
#include <vector>

#include "io/tensors/tensor_source.h"
#include "model/shape/parameters.h"
#include "model/weights/weights.h"
#include "pipeline/models/external/tensor_map.h"

namespace chainrule::pipeline::convert {

/// A model's parameters as the tensors of another system, in float32, read some rows at a time.
class ModelTensors final : public io::tensors::TensorSource {
 public:
  /// map: which rows of ours each tensor is; without alternating rows. Weights and table outlive it.
  ModelTensors(const model::weights::Weights& weights, const model::shape::ParameterTable& table,
               const models::external::TensorMap& map);

  std::vector<std::string> names() const override;
  std::vector<std::int64_t> shape(const std::string& name) const override;
  void read(const std::string& name, std::int64_t first_row, std::span<float> values) const override;

 private:
  /// Rows of a parameter that are a tensor.
  struct Place {
    const model::shape::Parameter* parameter;
    std::int64_t first_row;
    std::int64_t rows;
    bool transposed;
  };
  const Place& place_of(const std::string& name) const;

  const model::weights::Weights weights_;
  std::map<std::string, Place> places_;
};

/// Each parameter as one tensor of its own name: a checkpoint's.
models::external::TensorMap own_map(const model::shape::ParameterTable& table);

}  // namespace chainrule::pipeline::convert
