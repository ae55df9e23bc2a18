#pragma once
#include <string>

namespace chainrule::model::products::onednn {

/// Version of the oneDNN library in use at run time, e.g. "2.6.3".
std::string onednn_version();

/// The instruction set that oneDNN generates code for on this processor, e.g. "avx2" (ONEDNN_MAX_CPU_ISA respected).
/// Results may differ in their last bits between instruction sets.
std::string onednn_instruction_set();

}  // namespace chainrule::model::products::onednn
