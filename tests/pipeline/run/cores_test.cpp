#include "pipeline/run/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <string>

namespace {

using chainrule::pipeline::run::Cores;
using chainrule::pipeline::run::cores_of_this_process;

/// Binds the calling thread to one of the hardware threads that it may use, and returns it.
int bind_to_one() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  EXPECT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  int first = 0;
  while (!CPU_ISSET(first, &allowed)) ++first;
  CPU_ZERO(&allowed);
  CPU_SET(first, &allowed);
  EXPECT_EQ(::sched_setaffinity(0, sizeof allowed, &allowed), 0);
  return first;
}

TEST(Cores, AreThoseThatTheThreadMayUse) {
  const Cores whole = cores_of_this_process();
  EXPECT_GE(whole.cores, 1);
  EXPECT_LE(whole.cores, whole.hardware_threads);
  EXPECT_LE(whole.hardware_threads, whole.host_hardware_threads);
  const int bound = bind_to_one();
  const Cores one = cores_of_this_process();
  EXPECT_EQ(one.cores, 1);
  EXPECT_EQ(one.hardware_threads, 1);
  EXPECT_EQ(one.which, std::to_string(bound));
  EXPECT_EQ(one.host_hardware_threads, whole.host_hardware_threads);
}

TEST(Cores, OfSeveralHardwareThreadsAreOneEach) {
  ::setenv("HWLOC_SYNTHETIC", "core:1 pu:256", 1);  // a host of one such core, that it takes for this one
  ::setenv("HWLOC_THISSYSTEM", "1", 1);
  const Cores cores = cores_of_this_process();
  EXPECT_EQ(cores.cores, 1);
  EXPECT_EQ(cores.host_hardware_threads, 256);
}

}  // namespace
