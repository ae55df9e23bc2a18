#pragma once
#include <cstdint>

namespace chainrule::pipeline::run {

/// What this process is at, for whoever asks whether it still works. Stores only; called by the thread that does the
/// work.
class Activity {
 public:
  /// reading: samples; files: those of the run, in between steps; checkpoint: one that is there is read.
  enum class Phase : std::int32_t { start, step, reading, files, validation, saving, checkpoint, evaluation, end };

  /// From now on; step counts what is being done, 0 where nothing is counted.
  static void enter(Phase phase, std::int64_t step);
  /// Something was done: where steps have begun to be taken, the time between two calls is like that between others.
  static void advance();

  /// While one lives, this instead; then what was before.
  class During {
   public:
    explicit During(Phase phase);
    During(const During&) = delete;
    During& operator=(const During&) = delete;
    ~During();

   private:
    Phase before_;
  };

  struct Seen {
    Phase phase = Phase::start;
    std::int64_t step = 0;
    std::int64_t advances = 0;
  };
  static Seen now();
};

/// "taking a step", "validating", as people read it.
const char* name_of(Activity::Phase phase);

}  // namespace chainrule::pipeline::run
