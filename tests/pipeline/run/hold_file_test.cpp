#include "pipeline/run/hold_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <latch>
#include <thread>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/presence.h"
#include "pipeline/run/holder.h"

namespace chainrule::pipeline::run {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A process that has ended. Its number stays taken until it was waited for.
pid_t ended_process(bool waited_for = true) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | (waited_for ? 0 : WNOWAIT));
  return child;
}

Holder dead_holder() {
  Holder holder = new_holder();
  holder.process.process = ended_process();
  return holder;
}

Holder of_another_host() {
  Holder holder = new_holder();
  holder.process.host = "elsewhere";
  holder.process.boot = "of-elsewhere";
  return holder;
}

class HoldFileTest : public testing::Test {
 protected:
  HoldFileTest() { fs::create_directories(folder_); }
  ~HoldFileTest() override { fs::remove_all(folder_); }

  /// A hold, or a claim, that somebody left, as old as that.
  void leave(const Holder& holder, double seconds_old = 0, const std::string& name = "lock.held") const {
    io::files::write_file_atomically(folder_ / name, to_json_text(holder));
    set_age(seconds_old, name);
  }
  void set_age(double seconds, const std::string& name = "lock.held") const {
    const double then =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count() - seconds;
    const auto whole = static_cast<time_t>(std::floor(then));
    const timespec time{whole, static_cast<long>((then - static_cast<double>(whole)) * 1e9)};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, (folder_ / name).c_str(), times, 0), 0);
  }

  std::string refusal() const {
    try {
      const HoldFile hold(lock_, "the run");
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), io::ErrorKind::cannot_create);
      return error.what();
    }
    return "no refusal";
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const fs::path& entry : io::files::list_folder(folder_)) names.push_back(entry.filename().string());
    return names;
  }

  /// Takes what was left, and lets go.
  void expect_taken() const {
    {
      const HoldFile hold(lock_, "the run");
      EXPECT_NO_THROW(hold.require());
      EXPECT_THAT(names(), ElementsAre("lock.held"));
    }
    EXPECT_THAT(names(), ElementsAre());
  }

  fs::path folder_ = fs::temp_directory_path() / ("chainrule-hold-" + std::to_string(::getpid()));
  fs::path lock_ = folder_ / "lock";
};

TEST_F(HoldFileTest, IsHeldByOneProcessAndLeavesNothing) {
  {
    const HoldFile hold(lock_, "the run");
    EXPECT_THAT(refusal(), HasSubstr("the run is in use by process " + std::to_string(::getpid()) + " on "));
    EXPECT_THAT(names(), ElementsAre("lock.held"));
    EXPECT_THAT(holder_by_file(lock_).value_or("nobody"), HasSubstr("process " + std::to_string(::getpid())));
  }
  EXPECT_THAT(names(), ElementsAre());
  EXPECT_EQ(holder_by_file(lock_), std::nullopt);
}

TEST_F(HoldFileTest, IsRefreshed) {
  const HoldFile hold(lock_, "the run");
  set_age(1000);
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  struct stat status {};
  ASSERT_EQ(::stat((folder_ / "lock.held").c_str(), &status), 0);
  EXPECT_LT(std::time(nullptr) - status.st_mtim.tv_sec, 10);
}

TEST_F(HoldFileTest, OfADeadProcessIsTakenOverAtOnce) {
  const Clock::time_point start = Clock::now();
  leave(dead_holder());
  EXPECT_EQ(holder_by_file(lock_), std::nullopt);
  expect_taken();
  EXPECT_LT(seconds_since(start), 2);
}

TEST_F(HoldFileTest, OfAProcessThatNobodyWaitedForIsTakenOver) {
  Holder holder = new_holder();
  const pid_t ended = ended_process(false);
  holder.process.process = ended;
  holder.process.started = 0;  // this process's
  leave(holder);
  expect_taken();
  ::waitpid(ended, nullptr, 0);
}

TEST_F(HoldFileTest, AnotherProcessOfTheSameNumberIsNotItsHolder) {
  Holder holder = new_holder();
  holder.process.started -= 1;
  leave(holder);
  expect_taken();
}

TEST_F(HoldFileTest, OfALivingProcessStaysHoweverOldItLooks) {
  leave(new_holder(), 1e6);
  EXPECT_THAT(refusal(), HasSubstr("is in use by process"));
}

TEST_F(HoldFileTest, OfAnotherHostIsRefusedAtOnceWhileItIsFresh) {
  leave(of_another_host(), 60);
  const Clock::time_point start = Clock::now();
  EXPECT_THAT(refusal(), AllOf(HasSubstr(" on elsewhere since "), HasSubstr(" 60 s ago"), HasSubstr("5 min after"),
                               HasSubstr("lock.held")));
  EXPECT_LT(seconds_since(start), 2);
  EXPECT_THAT(names(), ElementsAre("lock.held"));
  EXPECT_THAT(holder_by_file(lock_).value_or("nobody"), HasSubstr("elsewhere"));
}

TEST_F(HoldFileTest, OfAnotherHostIsTakenOverAfterFiveMinutes) {
  leave(of_another_host(), 310);
  EXPECT_EQ(holder_by_file(lock_), std::nullopt);
  expect_taken();
}

TEST_F(HoldFileTest, ContainersWithNumbersOfTheirOwnAreLikeOtherHosts) {
  Holder holder = dead_holder();
  holder.process.space += 1;
  leave(holder, 10);
  EXPECT_THAT(refusal(), HasSubstr("10 s ago"));
}

/// The clock of its host, which some file systems take, is behind.
TEST_F(HoldFileTest, OfAnotherHostIsNotTakenOverWhileItIsSeenToBeRefreshed) {
  leave(of_another_host(), 1000);
  std::jthread heart([&](const std::stop_token& stop) {
    for (double age = 999; !stop.stop_requested(); --age) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      set_age(age);
    }
  });
  EXPECT_THAT(refusal(), HasSubstr("elsewhere"));
}

TEST_F(HoldFileTest, OfAnEarlierBootOfThisHostIsTakenOver) {
  Holder holder = new_holder();
  holder.process.boot = "before";
  leave(holder);
  expect_taken();
}

TEST_F(HoldFileTest, OfAnEarlierStartOfThisBatchJobIsTakenOverButNotAnotherStepOfIt) {
  ::setenv("SLURM_JOB_ID", "4711", 1);
  Holder holder = new_holder();
  EXPECT_THAT(name_of(holder), HasSubstr("(Slurm 4711)"));
  holder.process.host = holder.process.boot = "elsewhere";
  leave(holder);
  EXPECT_THAT(refusal(), HasSubstr("(Slurm 4711)"));
  ::setenv("SLURM_RESTART_COUNT", "1", 1);
  expect_taken();
  ::unsetenv("SLURM_JOB_ID");
  ::unsetenv("SLURM_RESTART_COUNT");
}

TEST_F(HoldFileTest, WhatSaysNothingIsNotTakenOver) {
  Holder no_id = dead_holder();
  no_id.id = "../../../../../../etc/passwd/1234";
  for (const std::string& text : {std::string(), std::string("{}"), to_json_text(no_id)}) {
    io::files::write_file_atomically(folder_ / "lock.held", text);
    set_age(1e6);
    EXPECT_THAT(refusal(), HasSubstr("does not say by whom"));
    EXPECT_EQ(holder_by_file(lock_), "another process");
  }
}

TEST_F(HoldFileTest, OfNewcomersExactlyOneTakesADeadHold) {
  constexpr int kRounds = 150;
  constexpr int kNewcomers = 4;
  const Holder first = dead_holder();
  for (int round = 0; round < kRounds; ++round) {
    Holder holder = new_holder();
    holder.process = first.process;
    leave(holder);
    std::atomic<int> winners = 0;
    std::latch ready(kNewcomers);
    std::latch tried(kNewcomers);
    {
      std::vector<std::jthread> newcomers;
      for (int i = 0; i < kNewcomers; ++i) {
        newcomers.emplace_back([&] {
          ready.arrive_and_wait();
          try {
            const HoldFile hold(lock_, "the run");
            ++winners;
            tried.arrive_and_wait();
            EXPECT_NO_THROW(hold.require());
          } catch (const io::Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("is in use by"));
            tried.arrive_and_wait();
          }
        });
      }
    }
    ASSERT_EQ(winners, 1) << "round " << round;
    ASSERT_THAT(names(), ElementsAre()) << "round " << round;
  }
}

TEST_F(HoldFileTest, WhoDiedWhileTakingOverIsTakenOver) {
  const Holder first = dead_holder();
  const Holder second = dead_holder();
  leave(first);
  leave(second, 0, "lock.after-" + first.id);
  leave(dead_holder(), 0, "lock.after-" + second.id);
  expect_taken();
}

TEST_F(HoldFileTest, WhoLivesWhileTakingOverIsNot) {
  const Holder first = dead_holder();
  leave(first);
  leave(of_another_host(), 0, "lock.after-" + first.id);
  EXPECT_THAT(refusal(), HasSubstr("elsewhere"));
}

TEST_F(HoldFileTest, LostIsNoticedAndTheOthersStays) {
  const Holder other = of_another_host();
  {
    const HoldFile hold(lock_, "the run");
    leave(other);
    try {
      hold.require();
      ADD_FAILURE() << "it was not noticed";
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), io::ErrorKind::cannot_create);
      EXPECT_THAT(error.what(), HasSubstr("on elsewhere since " + other.since + " has taken it over"));
    }
    set_age(1000);
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / "lock.held").c_str(), &status), 0);
    EXPECT_GT(std::time(nullptr) - status.st_mtim.tv_sec, 900) << "it was refreshed for another";
  }
  EXPECT_THAT(names(), ElementsAre("lock.held"));
  EXPECT_EQ(io::files::read_file(folder_ / "lock.held"), to_json_text(other));
}

TEST_F(HoldFileTest, GoneIsNoticed) {
  const HoldFile hold(lock_, "the run");
  fs::remove(folder_ / "lock.held");
  EXPECT_THROW(hold.require(), io::Error);
}

TEST_F(HoldFileTest, IsRespectedWhereThereAreLocks) {
  EXPECT_NO_THROW(require_no_hold(lock_, "the run"));
  EXPECT_THAT(names(), ElementsAre());
  leave(dead_holder());
  EXPECT_NO_THROW(require_no_hold(lock_, "the run"));
  EXPECT_THAT(names(), ElementsAre());
  leave(of_another_host());
  EXPECT_THROW(require_no_hold(lock_, "the run"), io::Error);
}

TEST_F(HoldFileTest, KnowsItsFilesByName) {
  for (const char* name : {"lock.held", "lock.after-1", "lock.partial-12"}) {
    EXPECT_TRUE(belongs_to_hold(folder_ / name, lock_)) << name;
  }
  for (const char* name : {"lock", "lock.txt", "notes.held"}) {
    EXPECT_FALSE(belongs_to_hold(folder_ / name, lock_)) << name;
  }
}

}  // namespace
}  // namespace chainrule::pipeline::run
