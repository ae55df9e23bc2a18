#pragma once
#include "model/shape/parameters.h"

namespace chainrule::model::decoder {

/// What backward hears of finished gradients.
///
/// The rows of an embedding that a batch's inputs name get their gradients last, from the first layer: these rows are
/// late. All its others are final once the output layer's backward is done, whether it is the same matrix or not.
class GradientSink {
 public:
  virtual ~GradientSink() = default;
  /// The gradients of range are final for this call of Decoder::train. Ranges come in arena order, without gaps
  /// (padding included), and cover the arena.
  virtual void ready(shape::ParameterRange range) = 0;
  /// The gradients of this parameter are final but for its late rows. Comes once, before the first ready().
  virtual void ready_but_late_rows(shape::ParameterRange parameter) = 0;
  /// Returns once the late rows of this parameter may be written to. Comes once, before the ready() that ends the
  /// arena.
  virtual void await_late_rows(shape::ParameterRange parameter) = 0;
};

}  // namespace chainrule::model::decoder
