#pragma once
#include <cstdint>
#include <span>
#include <vector>

/// Numbers for tests of the model: reproducible random ones, and how far two sets lie apart.
namespace chainrule::tests {

/// Normal values of mean 0, the same for the same seed.
std::vector<float> normal_values(std::uint64_t seed, std::int64_t count, double deviation);

/// Ids uniform in [0, bound), the same for the same seed.
std::vector<std::uint32_t> random_ids(std::uint64_t seed, std::int64_t count, std::int64_t bound);

std::vector<double> to_double(std::span<const float> values);

/// |actual - expected| / |expected| in the L2 norm; |actual| where expected is all zero; infinity where sizes differ.
double relative_l2(std::span<const double> actual, std::span<const double> expected);
double relative_l2(std::span<const float> actual, std::span<const double> expected);

}  // namespace chainrule::tests
