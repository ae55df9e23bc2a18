#include "model/shape/attention_shape.h"

#include <fmt/format.h>

#include "model/error.h"

namespace chainrule::model::shape {

void require_equal_heads(const AttentionShape& shape) {
  if (shape.key_value_heads == shape.heads) return;
  throw Error(fmt::format("attention of {} query heads over {} key and value heads is not built", shape.heads,
                          shape.key_value_heads));
}

}  // namespace chainrule::model::shape
