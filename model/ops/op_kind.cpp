#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

std::string_view name_of(OpKind kind) {
  switch (kind) {
    case OpKind::embedding: return "embedding";
    case OpKind::normalization: return "normalization";
    case OpKind::rotary: return "rotary positions";
    case OpKind::linear_forward: return "linear, forward";
    case OpKind::linear_backward_input: return "linear, gradient of input";
    case OpKind::linear_backward_weight: return "linear, gradient of weight";
    case OpKind::activation: return "activation";
    case OpKind::attention_forward: return "attention, forward";
    case OpKind::attention_backward: return "attention, backward";
    case OpKind::attention_step: return "attention, one step";
    case OpKind::cross_entropy: return "cross-entropy";
  }
  return "";
}

}  // namespace chainrule::model::ops
