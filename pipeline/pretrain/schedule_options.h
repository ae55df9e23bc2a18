#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/optimizer/schedule.h"
#include "pipeline/run/configuration.h"

namespace chainrule::pipeline::pretrain {

/// What was asked of the learning rate's schedule; what was not is empty.
struct ScheduleRequest {
  model::optimizer::ScheduleShape shape = model::optimizer::ScheduleShape::cosine;
  double learning_rate = 0;
  std::optional<double> minimum_learning_rate;
  std::optional<std::int64_t> warmup_steps;
  std::optional<std::int64_t> decay_steps;
  std::optional<std::int64_t> steps;
};

/// The names of shapes as --schedule has them.
std::vector<std::string> schedule_names();
/// Throws Error (usage) for a name that is none of them.
model::optimizer::ScheduleShape schedule_named(const std::string& name);

/// The schedule that is asked for. What was not asked is as the run was begun (`saved`), else by default: a minimum of
/// a tenth, a fiftieth of the steps for the warmup, a fifth for the decay.
model::optimizer::ScheduleOptions schedule_of(const ScheduleRequest& asked,
                                              const std::optional<model::optimizer::ScheduleOptions>& saved);

/// The schedule in a run's config.cfg; runs from before there were several have a cosine. Throws io::Error bad_data,
/// naming the file.
model::optimizer::ScheduleOptions schedule_in(const run::Configuration& configuration,
                                              const std::filesystem::path& file);
/// Writes it there.
void set_schedule(run::Configuration& configuration, const model::optimizer::ScheduleOptions& schedule);

/// The options that schedule_in() reads but the learning rate: they are compared by check_same_rates() alone.
const std::vector<std::string>& schedule_option_names();

/// Throws Error (usage), naming the first option that differs, unless every step up to `step` has had the learning rate
/// that it would have had by the schedule of now.
void check_same_rates(const model::optimizer::ScheduleOptions& saved, const model::optimizer::ScheduleOptions& now,
                      std::int64_t step);

}  // namespace chainrule::pipeline::pretrain
