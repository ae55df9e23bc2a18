#include "model/decoder/recompute.h"

namespace chainrule::model::decoder {

std::string_view name_of(Recompute recompute) {
  switch (recompute) {
    case Recompute::none: return "none";
    case Recompute::attention: return "attention";
    case Recompute::full: break;
  }
  return "full";
}

}  // namespace chainrule::model::decoder
