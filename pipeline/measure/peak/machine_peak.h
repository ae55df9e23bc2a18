#pragma once

namespace chainrule::pipeline::measure::peak {

/// Float32 fused multiply-adds this machine can do on all OpenMP threads, in FLOP/s (two per multiply-add), measured
/// over about `seconds` in registers alone. What every product's rate can be held against.
double measure_peak_flops(double seconds);

}  // namespace chainrule::pipeline::measure::peak
