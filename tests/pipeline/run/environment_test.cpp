#include "pipeline/run/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "pipeline/failure/error.h"
#include "pipeline/run/threads.h"
#include "tests/support/mpi_world.h"

namespace chainrule::pipeline::run {
namespace {

using tests::world;

TEST(Environment, NamesVersionsRanksAndScheduler) {
  ::setenv("SLURM_JOB_ID", "4711", 1);
  const Environment environment = gather_environment(world(), "chainrule test", 2);
  ::unsetenv("SLURM_JOB_ID");
  const auto json = to_json(environment);
  EXPECT_EQ(json["program"], "chainrule test");
  EXPECT_EQ(json["program_digest"].get<std::string>().size(), 32U);
  EXPECT_EQ(json["ranks"], world().size());
  EXPECT_EQ(json["threads_per_rank"], 2);
  EXPECT_EQ(json["scheduler"]["SLURM_JOB_ID"], "4711");
  EXPECT_THAT(json["instruction_set"].get<std::string>(), testing::ContainsRegex("^.+; float32 products by .+$"));
  for (const char* library : {"oneDNN", "HDF5", "MPI"}) {
    EXPECT_FALSE(json["libraries"][library].get<std::string>().empty()) << library;
  }
  int ranks = 0;
  for (const auto& host : json["hosts"]) ranks += host["ranks"].get<int>();
  EXPECT_EQ(ranks, world().rank() == 0 ? world().size() : 0);
}

TEST(Environment, RefusesRanksThatDiffer) {
  if (world().size() == 1) {
    EXPECT_NO_THROW(gather_environment(world(), "chainrule test", 1));
    return;
  }
  try {
    gather_environment(world(), "chainrule test", world().rank() == world().size() - 1 ? 3 : 2);
    FAIL() << "differing threads were accepted";
  } catch (const failure::AgreedError& error) {
    EXPECT_EQ(error.code(), failure::ExitCode::usage);
    EXPECT_NE(std::string(error.what()).find("threads per rank: '3' here, '2' on rank 0"), std::string::npos)
        << error.what();
  }
}

TEST(Environment, WritesUtcInIso8601) {
  const std::string now = utc_now();
  ASSERT_EQ(now.size(), 20U);
  EXPECT_EQ(now[10], 'T');
  EXPECT_EQ(now.back(), 'Z');
}

TEST(Threads, AskedBeforeEnvironmentBeforeCores) {
  EXPECT_EQ(use_threads(world(), 3), 3);
  EXPECT_EQ(omp_get_max_threads(), 3);
  omp_set_num_threads(2);
  ::setenv("OMP_NUM_THREADS", "2", 1);  // read by OpenMP at start only: what it made of it then is what counts
  EXPECT_EQ(use_threads(world(), 0), 2);
  ::unsetenv("OMP_NUM_THREADS");
  const int share = use_threads(world(), 0);
  EXPECT_GE(share, 1);
  EXPECT_LE(share, omp_get_num_procs());
}

TEST(BindingAdvice, IsGivenWhereThreadsTakeTurns) {
  EXPECT_EQ(binding_advice(2, 4, 8, 8), "");
  EXPECT_EQ(binding_advice(1, 1, 1, 64), "");
  // All ranks on one core of many, and more threads than the cores a rank is bound to.
  EXPECT_EQ(binding_advice(4, 1, 1, 64),
            "4 ranks of 1 thread may run on 1 of the host's 64 cores only and take turns there; launch with mpirun "
            "--map-by slot:PE=1 or --bind-to none (srun: --cpus-per-task=1)");
  EXPECT_THAT(binding_advice(1, 8, 1, 64), testing::HasSubstr("--map-by slot:PE=8"));
  // More threads than the host has cores: no binding helps.
  EXPECT_EQ(
      binding_advice(1, 4, 2, 2),
      "1 rank of 4 threads take turns on 2 cores; fewer ranks or threads (--threads, OMP_NUM_THREADS) are faster");
}

TEST(Threads, AreTheSameOnEveryRank) { EXPECT_EQ(use_threads(world(), world().rank() + 2), 2); }

}  // namespace
}  // namespace chainrule::pipeline::run
