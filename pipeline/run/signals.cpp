#include "pipeline/run/signals.h"

#include <csignal>

namespace chainrule::pipeline::run {
namespace {

volatile std::sig_atomic_t stop = 0;

extern "C" void note_stop(int) { stop = 1; }

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = note_stop;
  action.sa_flags = SA_RESTART;  // no half-done system call for anybody else to trip over
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // Whoever started us may have left them blocked.
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGUSR1);
  sigaddset(&both, SIGTERM);
  sigprocmask(SIG_UNBLOCK, &both, nullptr);
}

bool stop_requested() { return stop != 0; }

}  // namespace chainrule::pipeline::run
