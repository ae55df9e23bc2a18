#include "pipeline/run/watchdog.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/support/mpi_world.h"

namespace chainrule::pipeline::run {
namespace {

using tests::world;

/// Stops this process, its watchdog's thread too, and lets it go on.
void stand_still_for(std::chrono::milliseconds duration) {
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    ::kill(self, SIGSTOP);
    ::usleep(static_cast<useconds_t>(duration.count() * 1000));
    ::kill(self, SIGCONT);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

// The others have ended, and wait for the first one's farewell: for as long as for any sign of life.
TEST(Watchdog, ARankThatEndsLaterAndStandsStillIsWaitedFor) {
  const auto code = watched(world(), [] {
    if (world().rank() == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      stand_still_for(std::chrono::milliseconds(2500));
    }
    return failure::ExitCode::done;
  });
  EXPECT_EQ(code, failure::ExitCode::done);
}

}  // namespace
}  // namespace chainrule::pipeline::run
