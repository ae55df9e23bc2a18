#include "pipeline/pretrain/schedule_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "io/error.h"
#include "io/quote.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain {
namespace {

using model::optimizer::ScheduleOptions;
using model::optimizer::ScheduleShape;

constexpr std::pair<const char*, ScheduleShape> kShapes[] = {
    {"cosine", ScheduleShape::cosine},
    {"linear", ScheduleShape::linear},
    {"constant", ScheduleShape::constant},
    {"warmup-stable-decay", ScheduleShape::warmup_stable_decay},
};

const char* name_of(ScheduleShape shape) {
  return std::ranges::find(kShapes, shape, [](const auto& each) { return each.second; })->first;
}

template <class Number>
Number number_in(const run::Configuration& configuration, const char* name, Number otherwise,
                 const std::filesystem::path& file) {
  const std::optional<std::string> text = run::value_of(configuration, name);
  if (!text) return otherwise;
  Number number = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end || !(number >= 0)) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("{}: {} = {} is no such number", io::path_in_quotes(file), name, io::in_quotes(*text)));
  }
  return number;
}

/// All of the options as config.cfg has them.
std::vector<std::pair<std::string, std::string>> all_lines_of(const ScheduleOptions& schedule) {
  return {{"schedule", name_of(schedule.shape)},
          {"warmup-steps", fmt::format("{}", schedule.warmup_steps)},
          {"decay-steps", fmt::format("{}", schedule.decay_steps)},
          {"minimum-learning-rate", fmt::format("{}", schedule.minimum_learning_rate)},
          {"steps", fmt::format("{}", schedule.steps)}};
}

/// Those that a schedule of this shape has: others would be refused when the file is given back.
std::vector<std::pair<std::string, std::string>> lines_of(const ScheduleOptions& schedule) {
  auto lines = all_lines_of(schedule);
  std::erase_if(lines, [&](const auto& line) {
    if (line.first == "decay-steps") return schedule.shape != ScheduleShape::warmup_stable_decay;
    return line.first == "minimum-learning-rate" && schedule.shape == ScheduleShape::constant;
  });
  return lines;
}

}  // namespace

std::vector<std::string> schedule_names() {
  std::vector<std::string> names;
  for (const auto& [name, shape] : kShapes) names.emplace_back(name);
  return names;
}

ScheduleShape schedule_named(const std::string& name) {
  for (const auto& [each, shape] : kShapes) {
    if (name == each) return shape;
  }
  throw failure::Error(failure::ExitCode::usage, fmt::format("option '--schedule' is {}: {} are known",
                                                             io::in_quotes(name), fmt::join(schedule_names(), ", ")));
}

ScheduleOptions schedule_of(const ScheduleRequest& asked, const std::optional<ScheduleOptions>& saved) {
  const bool decays = asked.shape == ScheduleShape::warmup_stable_decay;
  ScheduleOptions schedule{.shape = asked.shape, .learning_rate = asked.learning_rate};
  schedule.steps = asked.steps.value_or(saved ? saved->steps : 0);
  const bool fell = saved && saved->shape != ScheduleShape::constant;
  schedule.minimum_learning_rate =
      asked.minimum_learning_rate.value_or(fell ? saved->minimum_learning_rate : asked.learning_rate / 10);
  schedule.warmup_steps = asked.warmup_steps.value_or(saved ? saved->warmup_steps : schedule.steps / 50);
  const bool decayed = saved && saved->shape == ScheduleShape::warmup_stable_decay;
  schedule.decay_steps = asked.decay_steps.value_or(!decays   ? 0
                                                    : decayed ? saved->decay_steps
                                                              : std::max<std::int64_t>(1, schedule.steps / 5));
  return schedule;
}

ScheduleOptions schedule_in(const run::Configuration& configuration, const std::filesystem::path& file) {
  ScheduleOptions schedule;
  const std::string shape = run::value_of(configuration, "schedule").value_or(kShapes[0].first);
  const auto* const known = std::ranges::find(kShapes, shape, [](const auto& each) { return std::string(each.first); });
  if (known == std::end(kShapes)) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: schedule = {} is none that this program knows",
                                                         io::path_in_quotes(file), io::in_quotes(shape)));
  }
  schedule.shape = known->second;
  schedule.learning_rate = number_in(configuration, "learning-rate", 0.0, file);
  schedule.minimum_learning_rate = number_in(configuration, "minimum-learning-rate", 0.0, file);
  schedule.warmup_steps = number_in(configuration, "warmup-steps", std::int64_t{0}, file);
  schedule.decay_steps = number_in(configuration, "decay-steps", std::int64_t{0}, file);
  schedule.steps = number_in(configuration, "steps", std::int64_t{0}, file);
  return schedule;
}

void set_schedule(run::Configuration& configuration, const ScheduleOptions& schedule) {
  for (const auto& [name, value] : lines_of(schedule)) run::set_value(configuration, name, value);
}

const std::vector<std::string>& schedule_option_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, value] : all_lines_of({})) all.push_back(name);
    return all;
  }();
  return names;
}

void check_same_rates(const ScheduleOptions& saved, const ScheduleOptions& now, std::int64_t step) {
  if (saved.warmup_steps != now.warmup_steps) {
    throw failure::Error(
        failure::ExitCode::usage,
        fmt::format("option '--warmup-steps' is '{}' in this run and '{}' now; it may not change within "
                    "a run (choose another --run)",
                    saved.warmup_steps, now.warmup_steps));
  }
  const auto before = lines_of(saved);
  const auto after = lines_of(now);
  const auto [was, is] = std::ranges::mismatch(before, after);
  if (was == before.end()) return;
  const std::string difference =
      fmt::format("option '--{}' is '{}' in this run and '{}' now", was->first, was->second, is->second);
  if (now.steps < step) {
    throw failure::Error(failure::ExitCode::usage, fmt::format("{}; it stands at step {} already", difference, step));
  }
  const std::int64_t last = std::min(last_step_of_any_length(saved), last_step_of_any_length(now));
  if (step <= last) return;
  throw failure::Error(
      failure::ExitCode::usage,
      fmt::format("{}; the learning rates of its steps behind {} depend on that, and it stands at step "
                  "{}: begin a new run, with --init to go on from its weights",
                  difference, last, step));
}

}  // namespace chainrule::pipeline::pretrain
