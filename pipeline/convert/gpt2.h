#pragma once
#include "model/shape/config.h"
#include "pipeline/convert/requirement.h"

namespace chainrule::pipeline::convert {

/// Throws what Requirement throws for the first field in which config is no GPT-2; feed_forward_width and
/// normalization_epsilon may be any.
void require_gpt2(const Requirement& format, const model::shape::Config& config);

}  // namespace chainrule::pipeline::convert
