#pragma once
#include <cstdint>
#include <string>

#include "pipeline/run/activity.h"

namespace chainrule::pipeline::run {

/// What a rank sends to the one that watches it, several times a second.
struct SignOfLife {
  static constexpr std::int64_t kEndedWell = 0;
  static constexpr std::int64_t kEndsJob = -1;  ///< somebody has said why

  std::int64_t count = 0;  ///< from 1; kEndedWell, kEndsJob
  Activity::Seen activity;
  std::int32_t waits = 0;  ///< its work waits for other ranks
  std::int32_t process = 0;
  std::int32_t exit_code = 0;       ///< of the job, with kEndsJob
  std::uint64_t process_space = 0;  ///< the namespace that the process number is of
  char host[64] = "";
};

/// Judges from signs of life whether a rank still works. It counts its own looks instead of reading a clock: what
/// suspends a whole job, or sets clocks, is no sign of death.
class NeighbourWatch {
 public:
  /// `silence` looks without a sign are too many. In a step so are as many, or ten times as many as it has ever taken,
  /// in which it does not come on though it waits for nobody; fifteen times that where it reads samples or uses files
  /// of the run. Whoever saves, validates or prepares may take as long as that takes.
  explicit NeighbourWatch(std::int64_t silence) : silence_(silence) {}

  void saw(const SignOfLife& sign);
  /// One look later: what is wrong, empty where nothing is.
  std::string look();

  /// Whether it ended well; it is then watched no more.
  bool ended() const { return ended_; }
  /// Whether it has said, or heard, that the job ends.
  bool ends_job() const { return ends_job_; }
  const SignOfLife& last() const { return last_; }

 private:
  std::int64_t silence_;
  SignOfLife last_;
  bool ended_ = false;
  bool ends_job_ = false;
  std::int64_t silent_looks_ = 0;
  std::int64_t still_looks_ = 0;    // since it last came on, or waited
  std::int64_t longest_still_ = 0;  // that ended by its coming on
};

}  // namespace chainrule::pipeline::run
