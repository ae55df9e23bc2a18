#pragma once
#include <vector>

#include "model/shape/rotary.h"

namespace chainrule::model::shape {

/// The scaling that divides the frequencies of theta by these factors, [head_width / 2]: none where all are 1; llama3
/// where llama.cpp's converter makes exactly these of Llama 3.1's numbers (that is what Llama's GGUF files hold of
/// them); else the factors themselves.
RotaryScaling scaling_of_factors(const std::vector<float>& factors, double theta);

}  // namespace chainrule::model::shape
