#pragma once
#include <string>

#include "model/decoder/recompute.h"
#include "model/ops/ops.h"
#include "pipeline/cli/options.h"

namespace chainrule::pipeline::cli {

/// `--math`, which evaluate, pretrain and benchmark share, and `--recompute`, which the latter two do.
struct ArithmeticOptions {
  std::string math;
  std::string recompute;

  void add_math_to(po::options_description& group);
  void add_recompute_to(po::options_description& group);
  /// Throws Error (usage) for another word. Warns, on one rank, where bf16 has nothing to gain on this processor.
  model::products::Math chosen_math() const;
  model::decoder::Recompute chosen_recompute() const;
};

}  // namespace chainrule::pipeline::cli
