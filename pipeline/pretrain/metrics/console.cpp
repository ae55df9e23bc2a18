#include "pipeline/pretrain/metrics/console.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "io/quote.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::pretrain::metrics {
namespace {

std::string left_text(double seconds) {
  constexpr double kDay = 86'400;
  if (seconds >= 4 * kDay) return fmt::format("{:.0f} days left", seconds / kDay);
  return fmt::format("{} left", show::clock_time(seconds, show::Hours::always));
}

/// Of at most Console::kColumns, but for numbers beyond all bounds.
std::string progress_line(const StepRecord& record, double seconds_a_step, std::optional<double> joules_per_token) {
  const double rate = static_cast<double>(record.step_tokens) / seconds_a_step;
  const double left = record.steps_left * seconds_a_step;
  std::vector<std::string> parts = {
      fmt::format("step {}/{}", record.step, record.last_step), fmt::format("loss {:.4f}", record.loss_nats),
      fmt::format("lr {:.2g}", record.learning_rate), fmt::format("norm {:.2g}", record.gradient_norm),
      fmt::format("{:.0f} tok/s", rate)};
  if (record.peak_tokens_per_second > 0) {
    parts.push_back(fmt::format("{:.0f}% peak", 100 * rate / record.peak_tokens_per_second));
  }
  if (joules_per_token) parts.push_back(fmt::format("{:.2g} J/tok", *joules_per_token));
  parts.push_back(left_text(left));
  const std::string line = fmt::format("{}", fmt::join(parts, "  "));
  return line.size() <= Console::kColumns ? line : fmt::format("{}", fmt::join(parts, " "));
}

/// "validation loss 4.5000 (code 4.2000, web 4.7000)", of a step that was validated.
std::string validation_text(const StepRecord& record) {
  std::string sources;
  if (record.source_losses_nats.size() == 1) return fmt::format("validation loss {:.4f}", *record.validation_loss_nats);
  for (const auto& [source, loss] : record.source_losses_nats) {
    sources += fmt::format("{}{} {:.4f}", sources.empty() ? " (" : ", ", source, loss);
  }
  return fmt::format("validation loss {:.4f}{}{}", *record.validation_loss_nats, sources, sources.empty() ? "" : ")");
}

}  // namespace

Console::Console(std::int64_t log_every, std::int64_t step, double elapsed_seconds)
    : log_every_(log_every),
      logged_step_(step),
      logged_seconds_(elapsed_seconds),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Console::~Console() {
  if (shown_width_ > 0) run::say("\n");
}

std::string Console::over_shown(const std::string& line) const {
  if (shown_width_ == 0) return line;
  const std::size_t rest = shown_width_ > line.size() ? shown_width_ - line.size() : 0;
  return "\r" + line + std::string(rest, ' ');
}

void Console::say(const std::string& line) {
  run::say(over_shown(line) + "\n");
  shown_width_ = 0;
}

void Console::show(const std::string& line, double elapsed_seconds) {
  constexpr double kSecondsBetween = 0.2;
  if (!terminal_ || elapsed_seconds < shown_seconds_ + kSecondsBetween) return;
  run::say(over_shown(line));
  shown_width_ = line.size();
  shown_seconds_ = elapsed_seconds;
}

void Console::step_taken(const StepRecord& record) {
  const double seconds_a_step =
      (record.elapsed_seconds - logged_seconds_) / static_cast<double>(record.step - logged_step_);
  if (record.joules_per_token) joules_per_token_ = record.joules_per_token;
  const std::string line = progress_line(record, seconds_a_step, joules_per_token_);
  if (!record.skipped.empty()) say(fmt::format("step {} was passed over: {}", record.step, record.skipped));
  const bool due = log_every_ != 0 && record.step % log_every_ == 0;
  if (!due && !record.validation_loss_nats && record.step != record.last_step && !record.stop) {
    show(line, record.elapsed_seconds);
    return;
  }
  if (record.validation_loss_nats) {
    say(fmt::format("step {}/{}  {}", record.step, record.last_step, validation_text(record)));
  }
  say(line);
  ++looks_;
  if (record.slow_rank && warnings_.is_due(record.slow_rank->rank, looks_)) {
    say(fmt::format("rank {} on {} is {:.0f} % behind the median of ranks in computing: the others wait for it",
                    record.slow_rank->rank, io::on_one_line(record.slow_rank->host), 100 * record.slow_rank->behind));
  }
  logged_step_ = record.step;
  logged_seconds_ = record.elapsed_seconds;
}

void Console::rolled_back(const Rollback& rollback) {
  say(fmt::format("step {}: {}; going back to step {}, and on behind the samples {} to {}", rollback.from_step,
                  rollback.why, rollback.to_step, rollback.first_sample, rollback.end_sample));
  logged_step_ = rollback.to_step;
}

void Console::run_ended(const RunEnd& end) {
  if (end.step < end.last_step) {
    say(fmt::format("stopped early at step {} of {}, as asked; the checkpoint is saved: the same command goes on",
                    end.step, end.last_step));
  } else {
    say(fmt::format("finished {} steps; weights_hash {}; checkpoint {}", end.step, end.weights_hash,
                    end.checkpoint.string()));
  }
}

}  // namespace chainrule::pipeline::pretrain::metrics
