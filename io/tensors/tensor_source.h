#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chainrule::io::tensors {

/// Named float32 tensors that can be read piece by piece, whatever file they lie in.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  /// In byte order.
  virtual std::vector<std::string> names() const = 0;
  /// [n] or [rows, columns], row-major. Throws Error bad_data for a name that is not there.
  virtual std::vector<std::int64_t> shape(const std::string& name) const = 0;
  /// Fills values with whole rows from first_row on (a row of [n] is one element). Throws Error (bad_data,
  /// input_output).
  virtual void read(const std::string& name, std::int64_t first_row, std::span<float> values) const = 0;
};

}  // namespace chainrule::io::tensors
