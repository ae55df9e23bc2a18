#include "pipeline/run/signals.h"

#include <atomic>
#include <csignal>
#include <ctime>
#include <initializer_list>

namespace chainrule::pipeline::run {
namespace {

std::atomic<bool> stop_came = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler stores to it");

extern "C" void note_stop(int) { stop_came = true; }

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGUSR2);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

void catch_stop_signals() {
  // oneDNN's products let the stack pointer point into the heap, where a handler's frame would overwrite
  // what lies below (oneDNN issue 4845, mended in 2026). So none runs in a thread that computes: signals wait until
  // they are asked for.
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // For threads of libraries that might let them through, and so that nobody has left them ignored.
  struct sigaction action {};
  action.sa_handler = note_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM}) sigaction(signal, &action, nullptr);
}

bool stop_requested() {
  const sigset_t signals = stop_signals();
  const timespec at_once{};
  if (!stop_came && sigtimedwait(&signals, nullptr, &at_once) > 0) stop_came = true;
  return stop_came;
}

}  // namespace chainrule::pipeline::run
