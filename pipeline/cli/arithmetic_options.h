#pragma once
#include <string>

#include "model/ops/ops.h"
#include "pipeline/cli/options.h"

namespace chainrule::pipeline::cli {

/// `--math` and `--recompute`, which pretrain and benchmark share.
struct ArithmeticOptions {
  std::string math;
  std::string recompute;

  void add_to(po::options_description& group);
  /// Throws Error (usage) for another word. Warns, on one rank, where bf16 has nothing to gain on this processor.
  model::Math chosen_math() const;
  bool chosen_recompute() const;
};

}  // namespace chainrule::pipeline::cli
