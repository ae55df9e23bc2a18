#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace chainrule::model::shape {

/// Elements [begin, end) of an arena.
struct ParameterRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool operator==(const ParameterRange&) const = default;
};

/// How a parameter's elements begin. GPT-2's: matrices normal of deviation 0.02, those whose products are added to the
/// residual stream 0.02 / sqrt(2 L); gains one, biases zero.
enum class Initial { zero, one, normal, normal_into_stream };

/// A named, shaped view into a parameter arena. Matrices are [out, in] row-major.
struct Parameter {
  std::string name;                 ///< e.g. "layers.3.attention.query_key_value.weight"
  std::vector<std::int64_t> shape;  ///< [out, in] or [n]
  std::int64_t offset = 0;          ///< first element in the arena, a multiple of 16
  bool decay = false;               ///< weight decay applies (matrices only)
  Initial initial = Initial::zero;
  bool in_products = false;  ///< a matrix with which rows are multiplied; others are looked up by row

  std::int64_t size() const {
    std::int64_t elements = 1;
    for (const std::int64_t extent : shape) elements *= extent;
    return elements;
  }
  bool is_matrix() const { return shape.size() == 2; }
  ParameterRange range() const { return {offset, offset + size()}; }
};

}  // namespace chainrule::model::shape
