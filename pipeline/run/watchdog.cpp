#include "pipeline/run/watchdog.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

#include "pipeline/comm/session.h"
#include "pipeline/comm/wait.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/neighbour_watch.h"
#include "pipeline/run/process_identity.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::run {
namespace {

constexpr std::chrono::milliseconds kLook(200);  // before a launcher that noticed a death, too, kills the others
constexpr std::int64_t kSilence = 75;            // looks: fifteen seconds

class Watchdog {
 public:
  explicit Watchdog(const comm::Communicator& communicator)
      : communicator_(communicator.duplicate()),
        next_((communicator.rank() + 1) % communicator.size()),
        previous_((communicator.rank() + communicator.size() - 1) % communicator.size()) {
    mine_.process = ::getpid();
    mine_.process_space = process_space();
    ::gethostname(mine_.host, sizeof mine_.host - 1);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  /// The work has failed on this rank, of which the others do not know; they are to end with the same code.
  void fail(failure::ExitCode code) { exit_code_ = static_cast<int>(code); }

  /// The work has ended on every rank. Collective.
  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void run(const std::stop_token& stop) {
    received_ = communicator_.receive(std::as_writable_bytes(std::span(&incoming_, 1)), next_, kTag);
    while (!stop.stop_requested()) {
      give_sign();
      while (!watch_.ended() && received_.done()) {
        watch_.saw(incoming_);
        if (watch_.ends_job()) {
          exit_code_ = incoming_.exit_code;
          end_quietly();
        }
        if (watch_.ended()) break;
        received_ = communicator_.receive(std::as_writable_bytes(std::span(&incoming_, 1)), next_, kTag);
      }
      if (said_farewell_ && watch_.ended() && sent_.done()) return;
      if (const std::string wrong = is_gone() ? "has died" : look(); !wrong.empty()) end_job(wrong);
      wait(stop);
    }
    tell_that_the_job_ends();  // this rank failed by itself
  }

  /// Looks are kLook apart, also where the loop goes round faster: a neighbour gives its signs no sooner.
  std::string look() { return !ending_ || ++ending_rounds_ % kRoundsOfEnding == 0 ? watch_.look() : ""; }

  /// Until the next look; once the work has ended, for the others' farewells, it comes soon.
  void wait(const std::stop_token& stop) {
    if (ending_) return std::this_thread::sleep_for(kLook / kRoundsOfEnding);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kLook, [&] { return ending_.load(); });
  }

  void give_sign() {
    if (said_farewell_ || !sent_.done()) return;
    mine_.activity = Activity::now();
    mine_.waits = comm::waits_for_ranks() ? 1 : 0;
    said_farewell_ = ending_;
    ++mine_.count;
    outgoing_ = mine_;
    if (said_farewell_) outgoing_.count = SignOfLife::kEndedWell;
    sent_ = communicator_.send(std::as_bytes(std::span(&outgoing_, 1)), previous_, kTag);
  }

  /// Whether its process, that was there, is no more.
  bool is_gone() {
    const SignOfLife& last = watch_.last();
    if (watch_.ended() || last.count == 0 || std::strcmp(last.host, mine_.host) != 0 || mine_.process_space == 0 ||
        last.process_space != mine_.process_space) {
      return false;
    }
    return ::kill(last.process, 0) != 0 && errno == ESRCH;
  }

  [[noreturn]] void end_job(const std::string& wrong) {
    const SignOfLife& last = watch_.last();
    const std::string at = last.activity.step > 0 ? fmt::format(" (step {})", last.activity.step) : "";
    say_failure(fmt::format("rank {}{} {}; it was {}{}; the job ends", next_,
                            last.count > 0 ? fmt::format(" on {}", last.host) : "", wrong, name_of(last.activity.phase),
                            at));
    std::fflush(nullptr);
    end_quietly();
  }

  /// The rank before this one hears of it first, so that it does not take this one for dead and says so, too; and so
  /// on, also where a launcher leaves ranks a long time before it kills them.
  void tell_that_the_job_ends() {
    for (int look = 0; look < 2 && !sent_.done(); ++look) std::this_thread::sleep_for(kLook);
    if (sent_.done()) {
      outgoing_ = mine_;
      outgoing_.count = SignOfLife::kEndsJob;
      outgoing_.exit_code = exit_code_;
      sent_ = communicator_.send(std::as_bytes(std::span(&outgoing_, 1)), previous_, kTag);
    }
    for (int look = 0; look < 6; ++look) {
      static_cast<void>(sent_.done());
      std::this_thread::sleep_for(kLook / 4);
    }
  }

  [[noreturn]] void end_quietly() {
    tell_that_the_job_ends();
    comm::Session::abort(exit_code_);
  }

  static constexpr int kTag = 1;
  static constexpr int kRoundsOfEnding = 20;

  comm::Communicator communicator_;
  int next_;
  int previous_;
  NeighbourWatch watch_{kSilence};
  SignOfLife mine_;
  SignOfLife outgoing_;
  SignOfLife incoming_;
  comm::Transfer sent_;
  comm::Transfer received_;
  bool said_farewell_ = false;
  int ending_rounds_ = 0;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::atomic<bool> ending_ = false;
  std::atomic<int> exit_code_ = static_cast<int>(failure::ExitCode::internal);
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace

failure::ExitCode watched(const comm::Communicator& communicator, const std::function<failure::ExitCode()>& work) {
  if (communicator.size() == 1) return work();
  Watchdog watchdog(communicator);
  failure::ExitCode code = failure::ExitCode::done;
  try {
    code = work();
  } catch (const failure::AgreedError&) {
    Activity::enter(Activity::Phase::end, 0);
    watchdog.end();
    throw;
  } catch (...) {
    watchdog.fail(failure::describe(std::current_exception()).code);
    throw;
  }
  Activity::enter(Activity::Phase::end, 0);
  watchdog.end();
  return code;
}

}  // namespace chainrule::pipeline::run
