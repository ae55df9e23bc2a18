#pragma once
#include <string>

#include "model/decoder/recompute.h"
#include "model/ops/ops.h"
#include "pipeline/cli/options.h"
#include "pipeline/pretrain/exchange/zero_stage.h"

namespace chainrule::pipeline::cli {

/// `--math`, which evaluate, pretrain and benchmark share, and `--recompute` and `--zero-stage`, which the latter two
/// do.
struct ArithmeticOptions {
  std::string math;
  std::string recompute;
  std::string zero_stage;

  void add_math_to(po::options_description& group);
  void add_recompute_to(po::options_description& group);
  void add_zero_stage_to(po::options_description& group);
  /// Throws Error (usage) for another word. Warns, on one rank, where bf16 has nothing to gain on this processor.
  model::products::Math chosen_math() const;
  model::decoder::Recompute chosen_recompute() const;
  pretrain::exchange::ZeroStage chosen_zero_stage() const;
};

}  // namespace chainrule::pipeline::cli
