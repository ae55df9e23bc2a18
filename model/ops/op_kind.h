#pragma once
#include <cstddef>
#include <string_view>

namespace chainrule::model::ops {

/// What the time of a step goes to.
enum class OpKind {
  embedding,
  normalization,
  rotary,
  linear_forward,
  linear_backward_input,
  linear_backward_weight,
  activation,
  attention_forward,
  attention_backward,
  attention_step,
  cross_entropy,
};
inline constexpr std::size_t kOpKinds = 11;
std::string_view name_of(OpKind kind);

}  // namespace chainrule::model::ops
