#include "pipeline/pretrain/metrics/energy_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace chainrule::pipeline::pretrain::metrics {
namespace {

TEST(EnergyRate, IsOfAllNodesSinceTheLastLook) {
  EnergyRate rate;
  EXPECT_EQ(rate.look(std::vector<double>{60, NAN, 40}, 1000), 0.1);
  EXPECT_EQ(rate.look(std::vector<double>{160, NAN, 140}, 1500), 0.4);
  EXPECT_EQ(rate.look(std::vector<double>{160, NAN, 140}, 1500), std::nullopt);
}

TEST(EnergyRate, IsNotKnownWhereANodeDoesNotTell) {
  EnergyRate rate;
  EXPECT_EQ(rate.look(std::vector<double>{60, -1}, 1000), std::nullopt);
  EXPECT_EQ(rate.look(std::vector<double>{60, 40}, 1000), 0.1);
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::metrics
