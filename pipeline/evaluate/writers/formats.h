#pragma once
#include <string_view>

namespace chainrule::pipeline::evaluate::writers {

/// Other programs' files of results that a report holds besides its own.
struct Formats {
  bool lm_eval = false;          ///< only of protocol lm-eval, whose numbers its keys name
  bool every_eval_ever = false;  ///< of any protocol
};

/// As --write spells them.
inline constexpr std::string_view kLmEvalFormat = "lm-eval";
inline constexpr std::string_view kEveryEvalEverFormat = "every-eval-ever";

}  // namespace chainrule::pipeline::evaluate::writers
