#pragma once
#include <string>

#include "pipeline/infer/generate/generator.h"

namespace chainrule::pipeline::infer::generate {

/// A sample as the line of JSON, line feed included, that docs/probabilities.md describes.
std::string json_line(const Sample& sample, const Prompt& prompt);

}  // namespace chainrule::pipeline::infer::generate
