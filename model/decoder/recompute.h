#pragma once
#include <array>
#include <string_view>

namespace chainrule::model::decoder {

/// What of a layer training does not keep from forward but computes again in backward, with the same bits: less memory
/// for more time. Each layer's input is kept in any case.
enum class Recompute {
  none,
  /// From the layer's input up to what attention put out: the first norm's statistics; queries, keys and values as the
  /// product gave them and as attention took them; attention's output and log-sum-exp. Kept are the residual stream
  /// behind attention, the second norm's statistics and the product that the activation takes. (Selective
  /// recomputation, Korthikanti et al. 2022, keeps queries, keys and values. Here no [T, T] buffer is to be saved: a
  /// float of attention's output costs 2 T operations, one of theirs only 2 C.)
  attention,
  full,  ///< all of it
};
inline constexpr std::array kRecomputes = {Recompute::none, Recompute::attention, Recompute::full};

/// As it is asked for: "none", "attention", "full".
std::string_view name_of(Recompute recompute);

}  // namespace chainrule::model::decoder
