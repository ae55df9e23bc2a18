#pragma once
#include <optional>

namespace chainrule::pipeline::pretrain {

/// The seconds between checkpoints that lose the least time where one costs save_seconds and the job fails once in
/// failure_seconds on average: Daly's estimate (A higher order estimate of the optimum checkpoint interval, 2006),
/// which is Young's sqrt(2 save failure) where saving costs little. Never below save_seconds.
double checkpoint_interval(double save_seconds, double failure_seconds);

struct PaceOptions {
  std::optional<double> seconds_left = {};  ///< until whoever runs the program ends it, counted from 0 of the clock
  std::optional<double> checkpoint_seconds = {};  ///< between checkpoints
  std::optional<double> failure_seconds = {};     ///< instead: between failures, as checkpoint_interval() has them
  double save_seconds = 0;                        ///< what saving costs, as far as is known before the first
};

/// What the clock asks of training: to save, and to stop while there is time for it. Times are seconds of one clock.
class Pace {
 public:
  explicit Pace(const PaceOptions& options)
      : options_(options), save_seconds_(options.save_seconds), lost_seconds_(options.save_seconds) {}

  /// A step with its validation took so long.
  void step_took(double seconds);
  /// The interval to the next save begins.
  void begin_interval(double now);
  /// A save took so long, and training as much longer as `lost`.
  void saved(double seconds, double lost);

  /// Never while the one before would not be over.
  bool should_save(double now) const;
  /// Not before a step was taken: a job too short for anything would come back for ever.
  bool should_stop(double now) const;

 private:
  PaceOptions options_;
  double save_seconds_;
  double lost_seconds_;
  double longest_step_ = 0;
  double last_save_ = 0;
};

}  // namespace chainrule::pipeline::pretrain
