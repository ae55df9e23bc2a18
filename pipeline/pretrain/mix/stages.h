#pragma once
#include <cstdint>
#include <string>

#include "pipeline/pretrain/mix/mix.h"

namespace chainrule::pipeline::pretrain::mix {

/// "at the start" or "behind step 4", for messages.
std::string place_of(std::int64_t step);

/// Whether the stages, of the same sources, take samples in the same order.
bool same_proportions(const Stage& one, const Stage& other);

/// Adds a stage behind the others, unless it has the last one's proportions: one that changes nothing would begin a
/// period anew. Throws Error (usage) where all weights are 0 or their period is too long.
void add_stage(Mix& mix, Stage stage);

}  // namespace chainrule::pipeline::pretrain::mix
