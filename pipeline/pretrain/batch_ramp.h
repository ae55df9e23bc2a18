#pragma once
#include <string>

#include "pipeline/windows/batch_sizes.h"

namespace chainrule::pipeline::pretrain {

/// What --batch-ramp was given, START:INCREMENT:SAMPLES. Throws Error (usage) unless these are whole numbers.
windows::BatchRamp parse_batch_ramp(const std::string& text);

}  // namespace chainrule::pipeline::pretrain
