#pragma once
#include <cstdint>
#include <span>

#include "model/shape/parameters.h"

namespace chainrule::model::decoder {

/// What forward waits for where parameters arrive while it runs.
class ParameterGate {
 public:
  virtual ~ParameterGate() = default;
  /// Returns once the parameters of range may be read. Ranges come in the order of the forward pass: from the position
  /// embedding or the first layer to the final norm, and last what the output layer multiplies with.
  virtual void need(shape::ParameterRange range) = 0;
  /// Returns once these rows of this parameter may be read, until the next need(): an embedding's rows of a batch's
  /// inputs. Comes once, before the first layer's need().
  virtual void need_rows(shape::ParameterRange parameter, std::span<const std::uint32_t> rows) = 0;
};

}  // namespace chainrule::model::decoder
