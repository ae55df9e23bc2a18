#include "pipeline/cli/arithmetic_options.h"

#include <fmt/format.h>

#include <cstdio>

#include "model/products/onednn/products.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {

void ArithmeticOptions::add_math_to(po::options_description& group) {
  group.add_options()("math", po::value(&math)->default_value("float32")->value_name("float32|bf16"),
                      "bf16: products round their inputs to bfloat16 where the processor has it");
}

void ArithmeticOptions::add_recompute_to(po::options_description& group) {
  group.add_options()(
      "recompute", po::value(&recompute)->default_value("none")->value_name("none|attention|full"),
      "what of a layer backward computes again rather than finds kept: full: all but its input; attention: what lies "
      "before the feed-forward part (less memory for more time, same bits)");
}

void ArithmeticOptions::add_zero_stage_to(po::options_description& group) {
  group.add_options()(
      "zero-stage", po::value(&zero_stage)->default_value("1")->value_name("1|2"),
      "what ranks divide among themselves: 1: the optimizer's state; 2: also the sums of gradients, which are then "
      "exchanged after each micro-batch (less memory, more network; another order of sums, so other bits)");
}

model::products::Math ArithmeticOptions::chosen_math() const {
  if (math == "float32") return model::products::Math::float32;
  if (math != "bf16")
    throw failure::Error(failure::ExitCode::usage, fmt::format("--math '{}' is neither float32 nor bf16", math));
  if (!model::products::onednn::rounds_factors(model::products::Math::bf16) && comm::launched_rank() == 0) {
    run::warn("this processor has no bfloat16 products: --math bf16 computes in float32 here");
  }
  return model::products::Math::bf16;
}

model::decoder::Recompute ArithmeticOptions::chosen_recompute() const {
  for (const model::decoder::Recompute each : model::decoder::kRecomputes) {
    if (recompute == name_of(each)) return each;
  }
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("--recompute '{}' is none of none, attention, full", recompute));
}

pretrain::exchange::ZeroStage ArithmeticOptions::chosen_zero_stage() const {
  if (zero_stage == "1") return pretrain::exchange::ZeroStage::one;
  if (zero_stage == "2") return pretrain::exchange::ZeroStage::two;
  throw failure::Error(failure::ExitCode::usage, fmt::format("--zero-stage '{}' is neither 1 nor 2", zero_stage));
}

}  // namespace chainrule::pipeline::cli
