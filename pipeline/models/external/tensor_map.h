#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/tensors/stored_tensors.h"
#include "model/shape/parameters.h"
#include "model/weights/weights.h"

namespace chainrule::pipeline::models::external {

/// A tensor of another system that is some rows of one of our parameters.
struct Piece {
  std::string tensor;
  std::int64_t rows = 0;  ///< of our parameter (elements of a vector)
  bool transposed = false;
  std::int64_t alternating = 0;  ///< as in model::weights::StoredMatrix
};

/// Of each of our parameters, by name, the pieces in order.
using TensorMap = std::map<std::string, std::vector<Piece>>;

/// Weights that stay in the files, which outlive them. Every parameter of the table is there, in its shape, else Error
/// bad_data naming `path` and the tensor.
model::weights::StoredWeights store_weights(const io::tensors::StoredTensors& tensors,
                                            const model::shape::ParameterTable& table, const TensorMap& map,
                                            const std::string& path);

/// Throws Error bad_data where there are fewer tensors than layers. Asked before a map is made of them, which a few
/// bytes could make a long one.
void require_tensors_for(std::int64_t layers, const io::tensors::StoredTensors& tensors, const std::string& path);

/// Throws Error bad_data naming the first tensor that is no piece of the map, and none of those that may be there
/// besides.
void require_all_used(const io::tensors::StoredTensors& tensors, const TensorMap& map,
                      const std::function<bool(std::string_view)>& may_be_there, const std::string& path);

/// Throws Error bad_data where a head that the file repeats is not the embedding that it is tied to.
void require_same_tensor(const io::tensors::StoredTensors& tensors, const std::string& head,
                         const std::string& embedding, const std::string& path);

/// XXH3-128 of the bytes of all pieces, in the order of the table.
std::string hash_of(const io::tensors::StoredTensors& tensors, const model::shape::ParameterTable& table,
                    const TensorMap& map);

}  // namespace chainrule::pipeline::models::external
