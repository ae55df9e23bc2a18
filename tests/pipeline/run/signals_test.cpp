#include "pipeline/run/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "model/products/onednn/products.h"

namespace chainrule::pipeline::run {
namespace {

/// The gradient of the hidden states of a head with 300 tokens, for which oneDNN's kernel puts its stack pointer into
/// the heap; often, with blocks of the heap that come and go. The sum of all.
double multiply_often() {
  constexpr std::int64_t kRows = 32;
  constexpr std::int64_t kWidth = 128;
  constexpr std::int64_t kTokens = 300;
  constexpr std::int64_t kLogitsStride = 304;
  const std::vector<float> logits(kRows * kLogitsStride, 0.125F);
  const std::vector<float> weights(kTokens * kWidth, 0.25F);
  std::vector<float> gradient(kRows * kWidth);
  model::products::onednn::Products products(model::products::Math::float32);
  std::vector<std::unique_ptr<char[]>> blocks(7);
  double sum = 0;
  for (std::size_t i = 0; i < 5000; ++i) {
    blocks[i % blocks.size()] = std::make_unique<char[]>(1000 + 100 * i % 1100);
    products.multiply(
        {.m = kRows, .n = kWidth, .k = kTokens, .a_stride = kLogitsStride, .b_stride = kWidth, .c_stride = kWidth},
        logits.data(), weights.data(), nullptr, gradient.data());
    for (const float value : gradient) sum += value;
  }
  return sum;
}

/// In a process of its own: 0 where signals came the whole time and changed nothing.
int multiply_under_signals() {
  catch_stop_signals();
  if (stop_requested()) return 1;
  const double expected = multiply_often();
  std::atomic<bool> done = false;
  const pthread_t multiplying = ::pthread_self();
  std::thread sender([&] {
    while (!done) {
      ::pthread_kill(multiplying, SIGUSR1);
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  });
  const double sum = multiply_often();
  done = true;
  sender.join();
  return sum == expected && stop_requested() ? 0 : 2;
}

TEST(StopSignals, LeaveTheHeapAloneInTheMiddleOfProducts) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(std::_Exit(multiply_under_signals()), testing::ExitedWithCode(0), "");
}

/// Signals of the process, too, and to threads that began later.
int ask_after(int signal) {
  catch_stop_signals();
  std::atomic<bool> done = false;
  std::thread other([&] {
    while (!done) std::this_thread::yield();
  });
  if (stop_requested()) return 1;
  ::kill(::getpid(), signal);
  const bool asked = stop_requested() && stop_requested();
  done = true;
  other.join();
  return asked ? 0 : 2;
}

TEST(StopSignals, AskTheProcessToStop) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  for (const int signal : {SIGUSR1, SIGTERM}) {
    EXPECT_EXIT(std::_Exit(ask_after(signal)), testing::ExitedWithCode(0), "") << signal;
  }
}

TEST(StopSignals, AreHeededWhereSomebodyIgnoredThem) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        std::signal(SIGUSR1, SIG_IGN);
        std::_Exit(ask_after(SIGUSR1));
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace chainrule::pipeline::run
