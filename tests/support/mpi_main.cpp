// A GoogleTest main for programs under mpirun: the job fails if any rank fails, and every rank's failures are shown.
#include <gtest/gtest.h>

#include "pipeline/comm/session.h"
#include "tests/support/mpi_world.h"

namespace chainrule::tests {
namespace {
const pipeline::comm::Communicator* the_world = nullptr;
}
const pipeline::comm::Communicator& world() { return *the_world; }
}  // namespace chainrule::tests

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const chainrule::pipeline::comm::Session session;
  chainrule::tests::the_world = &session.world();
  if (::testing::UnitTest::GetInstance()->total_test_count() == 0) return 1;
  const int failed = RUN_ALL_TESTS();
  return session.world().maximum(failed) == 0 ? 0 : 1;
}
