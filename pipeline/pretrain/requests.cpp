#include "pipeline/pretrain/requests.h"

#include <fmt/format.h>

#include <system_error>

#include "io/quote.h"
#include "pipeline/run/activity.h"
#include "pipeline/run/signals.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::pretrain {

step::StepRequests Requests::now() {
  if (!first_) return {.stop = run::stop_requested(), .save = false};
  const run::Activity::During files(run::Activity::Phase::files);
  const double now = seconds_since_start();
  const bool time_is_up = pace_.should_stop(now);
  if (time_is_up && !told_) {
    told_ = true;
    run::say("the time is nearly up: saving a checkpoint and stopping\n");
  }
  return {.stop = run::stop_requested() || time_is_up || stop_file_is_there(), .save = pace_.should_save(now)};
}

bool Requests::stop_file_is_there() {
  const double now = seconds_since_start();
  if (looked_ >= 0 && now < looked_ + 1) return false;
  looked_ = now;
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(stop_file_, error));
}

void Requests::stopped() {
  std::error_code error;
  if (!first_) return;
  std::filesystem::remove(stop_file_, error);
  if (error) {
    run::warn(fmt::format("cannot remove {}, so the next start will stop, too: {}", io::path_in_quotes(stop_file_),
                          error.message()));
  }
}

}  // namespace chainrule::pipeline::pretrain
