#pragma once

namespace chainrule::pipeline::cli {

/// What --model takes: see models::load_model().
inline constexpr const char* kModelHelp =
    "a checkpoint; a run directory (its newest checkpoint); an average of its weights (RUN/average, or RUN/last:K of "
    "K checkpoints); a Hugging Face folder, GGUF file or llm.c model";

}  // namespace chainrule::pipeline::cli
