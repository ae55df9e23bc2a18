#pragma once
#include <cstdint>

namespace chainrule::pipeline::measure {

/// Starts counting the process's peak memory anew, where the system allows it (else the peak stays that of the whole
/// process so far).
void reset_peak_memory();

/// Largest resident memory since the start or the last reset, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace chainrule::pipeline::measure
