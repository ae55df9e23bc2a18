#include "pipeline/pretrain/loop.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "pipeline/failure/error.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/pretrain/trainer_state.h"

namespace chainrule::pipeline::pretrain {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool due(std::int64_t step, std::int64_t every) { return every != 0 && step % every == 0; }

}  // namespace

PretrainLoop::PretrainLoop(const comm::Communicator& communicator, const PretrainOptions& options,
                           const checkpoint::CheckpointContext& context, step::Trainer& trainer,
                           std::span<const ValidationSet> validation, Requests& requests,
                           std::vector<metrics::StepObserver*> observers, checkpoint::TrainingState state, bool saved)
    : communicator_(communicator),
      options_(options),
      context_(context),
      trainer_(trainer),
      validation_(validation),
      requests_(requests),
      observers_(std::move(observers)),
      state_(std::move(state)),
      saved_(saved) {}

failure::ExitCode PretrainLoop::run() {
  // A signal may have come while the run was being prepared.
  stop_ = communicator_.maximum(requests_.now().stop ? 1 : 0) != 0;
  while (!stop_ && state_.step < options_.schedule.steps) take_step();
  if (!saved_) {
    weights_hash_ = checkpoint::agreed_weights_hash(communicator_, trainer_.parameters().span(), state_.step);
    save();
  }
  for (metrics::StepObserver* observer : observers_) {
    observer->run_ended(
        {state_.step, options_.schedule.steps, weights_hash_, models::checkpoint_folder(context_.run, state_.step)});
  }
  if (stop_) requests_.stopped();
  return state_.step < options_.schedule.steps ? failure::ExitCode::stopped_early : failure::ExitCode::done;
}

void PretrainLoop::take_step() {
  const Clock::time_point start = Clock::now();
  const step::StepOutcome outcome = trainer_.step(requests_.now());
  const bool updated = outcome.status == step::StepStatus::updated;
  state_.skipped_in_row = updated ? 0 : state_.skipped_in_row + 1;
  if (state_.skipped_in_row > options_.max_skips) throw_diverged(outcome);
  if (!updated) trainer_.pass_over();
  state_.step = trainer_.steps_taken();
  state_.samples_consumed = trainer_.samples_consumed();
  saved_ = false;
  stop_ = outcome.requests.stop;
  const double step_seconds = seconds_since(start);

  const std::optional<ValidationLoss> validated = validation_loss();
  const bool save_due =
      outcome.requests.save || due(state_.step, options_.checkpoint_every) || due(state_.step, options_.keep_every);
  // While no step can be taken, the state is perhaps one that no step will be taken from.
  const bool save_now = stop_ || at_last_step() || (save_due && updated);
  weights_hash_ =
      save_now ? checkpoint::agreed_weights_hash(communicator_, trainer_.parameters().span(), state_.step) : "";
  state_.elapsed_seconds += seconds_since(start);
  requests_.step_took(seconds_since(start));
  tell(outcome, step_seconds, validated);
  if (save_now) {
    const Clock::time_point saving = Clock::now();
    save();
    state_.elapsed_seconds += seconds_since(saving);
    requests_.saved(seconds_since(saving));
  }
}

void PretrainLoop::throw_diverged(const step::StepOutcome& outcome) const {
  const std::int64_t first = outcome.step - state_.skipped_in_row + 1;
  throw failure::AgreedError(
      failure::ExitCode::bad_data,
      fmt::format("step {}: {}{}; the weights were not updated, and earlier checkpoints are intact", outcome.step,
                  describe_failure(outcome),
                  first < outcome.step ? fmt::format(", as steps from {} on were passed over (--max-skips {})", first,
                                                     options_.max_skips)
                                       : ""));
}

std::optional<ValidationLoss> PretrainLoop::validation_loss() {
  if (validation_.empty() || !(due(state_.step, options_.validate_every) || at_last_step())) return std::nullopt;
  return validate_sets(communicator_, trainer_.decoder(), trainer_.parameters().span(), validation_,
                       options_.micro_batch);
}

void PretrainLoop::save() {
  for (metrics::StepObserver* observer : observers_) observer->checkpoint_begins();
  checkpoint::write_checkpoint(communicator_, context_, snapshot_of(trainer_, state_, weights_hash_));
  saved_ = true;
}

void PretrainLoop::tell(const step::StepOutcome& outcome, double step_seconds,
                        const std::optional<ValidationLoss>& validated) {
  const std::int64_t length = trainer_.decoder().config().sequence_length;
  const metrics::StepRecord record = {
      .step = state_.step,
      .last_step = options_.schedule.steps,
      .samples = state_.samples_consumed,
      .tokens = static_cast<std::int64_t>(state_.samples_consumed) * length,
      .loss_nats = outcome.nonfinite_tokens == 0 ? outcome.loss_nats : NAN,
      .learning_rate = outcome.learning_rate,
      .gradient_norm = outcome.status == step::StepStatus::updated ? outcome.gradient_norm : NAN,
      .step_tokens = outcome.tokens,
      .step_seconds = step_seconds,
      .elapsed_seconds = state_.elapsed_seconds,
      .validation_loss_nats = validated ? std::optional(validated->nats) : std::nullopt,
      .source_losses_nats = validated ? validated->named : std::vector<std::pair<std::string, double>>(),
      .weights_hash = weights_hash_,
      .skipped = describe_failure(outcome),
      .stop = stop_};
  for (metrics::StepObserver* observer : observers_) observer->step_taken(record);
}

}  // namespace chainrule::pipeline::pretrain
