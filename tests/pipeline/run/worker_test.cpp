#include "pipeline/run/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <vector>

namespace chainrule::pipeline::run {
namespace {

TEST(Worker, DoesJobsInOrderAndWaitsForThoseAskedFor) {
  std::vector<int> done;  // only the worker writes, only after wait() is it read
  Worker worker;
  Worker::Ticket last = 0;
  for (int i = 0; i < 100; ++i) last = worker.queue([&done, i](const std::stop_token&) { done.push_back(i); });
  worker.wait(last);
  ASSERT_EQ(done.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
}

TEST(Worker, WaitThrowsWhatAJobThrewAndDoesNoLaterJob) {
  std::atomic<bool> later = false;
  Worker worker;
  const auto first = worker.queue([](const std::stop_token&) {});
  const auto second = worker.queue([](const std::stop_token&) { throw std::runtime_error("no paper"); });
  const auto third = worker.queue([&](const std::stop_token&) { later = true; });
  EXPECT_THROW(worker.wait(third), std::runtime_error);
  EXPECT_THROW(worker.wait(second), std::runtime_error);
  EXPECT_NO_THROW(worker.wait(first));
  EXPECT_FALSE(later);
}

TEST(Worker, StopsTheJobAtWorkWhenItGoes) {
  std::atomic<bool> stopped = false;
  std::atomic<bool> started = false;
  {
    Worker worker;
    worker.queue([&](const std::stop_token& stop) {
      started = true;
      while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      stopped = true;
    });
    worker.queue([](const std::stop_token&) { FAIL() << "a job began after the stop"; });
    while (!started) std::this_thread::yield();
  }
  EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace chainrule::pipeline::run
