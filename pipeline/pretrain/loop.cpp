#include "pipeline/pretrain/loop.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "pipeline/models/checkpoint.h"
#include "pipeline/pretrain/validation.h"
#include "pipeline/run/signals.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::pretrain {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool due(std::int64_t step, std::int64_t every) { return every != 0 && step % every == 0; }

}  // namespace

PretrainLoop::PretrainLoop(const comm::Communicator& communicator, const PretrainOptions& options,
                           const checkpoint::CheckpointContext& context, step::Trainer& trainer,
                           const windows::Windows* validation, metrics::MetricsLog* metrics,
                           checkpoint::TrainingState state, bool saved)
    : communicator_(communicator),
      options_(options),
      context_(context),
      trainer_(trainer),
      validation_(validation),
      metrics_(metrics),
      state_(std::move(state)),
      saved_(saved),
      logged_step_(state_.step),
      logged_seconds_(state_.elapsed_seconds),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

PretrainLoop::~PretrainLoop() {
  if (shown_width_ > 0) run::say("\n");
}

std::string PretrainLoop::over_shown(const std::string& line) const {
  if (shown_width_ == 0) return line;
  const std::size_t rest = shown_width_ > line.size() ? shown_width_ - line.size() : 0;
  return "\r" + line + std::string(rest, ' ');
}

void PretrainLoop::say(const std::string& line) {
  if (communicator_.rank() != 0) return;
  run::say(over_shown(line) + "\n");
  shown_width_ = 0;
}

void PretrainLoop::show(const std::string& line) {
  constexpr double kSecondsBetween = 0.2;
  if (!terminal_ || state_.elapsed_seconds < shown_seconds_ + kSecondsBetween) return;
  run::say(over_shown(line));
  shown_width_ = line.size();
  shown_seconds_ = state_.elapsed_seconds;
}

failure::ExitCode PretrainLoop::run() {
  // A signal may have come while the run was being prepared.
  stop_ = communicator_.maximum(run::stop_requested() ? 1 : 0) != 0;
  while (!stop_ && state_.step < options_.schedule.steps) take_step();
  if (!saved_) {
    weights_hash_ = checkpoint::agreed_weights_hash(communicator_, trainer_);
    save();
  }
  if (state_.step < options_.schedule.steps) {
    say(fmt::format("stopped early at step {} of {}, as asked; the checkpoint is saved: the same command goes on",
                    state_.step, options_.schedule.steps));
    return failure::ExitCode::stopped_early;
  }
  say(fmt::format("finished {} steps; weights_hash {}; checkpoint {}", state_.step, weights_hash_,
                  models::checkpoint_folder(context_.run, state_.step).string()));
  return failure::ExitCode::done;
}

void PretrainLoop::take_step() {
  const Clock::time_point start = Clock::now();
  const step::StepReport report = trainer_.step(run::stop_requested());
  state_.step = trainer_.steps_taken();
  state_.samples_consumed = trainer_.samples_consumed();
  saved_ = false;
  stop_ = report.stop;
  const double step_seconds = seconds_since(start);

  const bool last = state_.step == options_.schedule.steps;
  validation_loss_.reset();
  if (validation_ != nullptr && (due(state_.step, options_.validate_every) || last)) {
    const comm::ExactSum nll = validate_model(communicator_, trainer_.decoder(), trainer_.parameters().span(),
                                              *validation_, options_.micro_batch);
    validation_loss_ = nll.nonfinite() == 0 ? nll.nats() / static_cast<double>(nll.count()) : NAN;
  }
  const bool save_now = stop_ || last || due(state_.step, options_.checkpoint_every);
  weights_hash_ = save_now ? checkpoint::agreed_weights_hash(communicator_, trainer_) : "";
  state_.elapsed_seconds += seconds_since(start);
  // The line goes to disk before its checkpoint: a run that is resumed has the lines of all its steps.
  record(report, step_seconds);
  if (save_now) {
    const Clock::time_point saving = Clock::now();
    save();
    state_.elapsed_seconds += seconds_since(saving);
  }
}

void PretrainLoop::save() {
  if (metrics_ != nullptr) metrics_->sync();
  checkpoint::write_checkpoint(communicator_, context_, state_, weights_hash_, trainer_);
  saved_ = true;
}

void PretrainLoop::record(const step::StepReport& report, double step_seconds) {
  if (metrics_ == nullptr) return;
  nlohmann::ordered_json json;
  json["step"] = state_.step;
  json["tokens"] = static_cast<std::int64_t>(state_.samples_consumed) * trainer_.decoder().config().sequence_length;
  json["samples"] = state_.samples_consumed;
  json["loss"] = report.loss_nats;
  json["learning_rate"] = report.learning_rate;
  json["gradient_norm"] = report.gradient_norm;
  json["tokens_per_second"] = static_cast<double>(report.tokens) / step_seconds;
  json["elapsed_seconds"] = state_.elapsed_seconds;
  if (validation_loss_) json["validation_loss"] = *validation_loss_;  // null where not finite
  if (!weights_hash_.empty()) json["weights_hash"] = weights_hash_;
  metrics_->append(io::files::json_text(json));

  const bool last = state_.step == options_.schedule.steps;
  const double seconds_a_step =
      (state_.elapsed_seconds - logged_seconds_) / static_cast<double>(state_.step - logged_step_);
  const double left = static_cast<double>(options_.schedule.steps - state_.step) * seconds_a_step;
  const std::string line =
      fmt::format("step {}/{}  loss {:.4f}{}  learning rate {:.3g}  gradient norm {:.3g}  {:.0f} tokens/s  {} left",
                  state_.step, options_.schedule.steps, report.loss_nats,
                  validation_loss_ ? fmt::format("  validation loss {:.4f}", *validation_loss_) : "",
                  report.learning_rate, report.gradient_norm, static_cast<double>(report.tokens) / seconds_a_step,
                  show::clock_time(left, show::Hours::always));
  if (!due(state_.step, options_.log_every) && !validation_loss_ && !last && !stop_) {
    show(line);
    return;
  }
  say(line);
  logged_step_ = state_.step;
  logged_seconds_ = state_.elapsed_seconds;
}

}  // namespace chainrule::pipeline::pretrain
