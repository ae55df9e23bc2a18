#include "pipeline/pretrain/metrics/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include "pipeline/run/standard_streams.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::pretrain::metrics {
namespace {

/// "  validation loss 4.5000 (code 4.2000, web 4.7000)"; nothing where the step was not validated.
std::string validation_text(const StepRecord& record) {
  if (!record.validation_loss_nats) return {};
  std::string sources;
  if (record.source_losses_nats.size() == 1)
    return fmt::format("  validation loss {:.4f}", *record.validation_loss_nats);
  for (const auto& [source, loss] : record.source_losses_nats) {
    sources += fmt::format("{}{} {:.4f}", sources.empty() ? " (" : ", ", source, loss);
  }
  return fmt::format("  validation loss {:.4f}{}{}", *record.validation_loss_nats, sources, sources.empty() ? "" : ")");
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
  const double left = static_cast<double>(record.last_step - record.step) * seconds_a_step;
  const std::string line = fmt::format(
      "step {}/{}  loss {:.4f}{}  learning rate {:.3g}  gradient norm {:.3g}  {:.0f} tokens/s  {} left", record.step,
      record.last_step, record.loss_nats, validation_text(record), record.learning_rate, record.gradient_norm,
      static_cast<double>(record.step_tokens) / seconds_a_step, show::clock_time(left, show::Hours::always));
  if (!record.skipped.empty()) say(fmt::format("step {} was passed over: {}", record.step, record.skipped));
  const bool due = log_every_ != 0 && record.step % log_every_ == 0;
  if (!due && !record.validation_loss_nats && record.step != record.last_step && !record.stop) {
    show(line, record.elapsed_seconds);
    return;
  }
  say(line);
  logged_step_ = record.step;
  logged_seconds_ = record.elapsed_seconds;
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
