#include "pipeline/pretrain/loop.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/pretrain/trainer_state.h"
#include "pipeline/run/activity.h"

namespace chainrule::pipeline::pretrain {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool due(std::int64_t step, std::int64_t every) { return every != 0 && step % every == 0; }

}  // namespace

PretrainLoop::PretrainLoop(const comm::Communicator& communicator, const PretrainOptions& options,
                           const checkpoint::CheckpointContext& context, step::Trainer& trainer,
                           std::span<const ValidationSet> validation, Requests& requests, RankWatch& watch,
                           std::vector<metrics::StepObserver*> observers, checkpoint::TrainingState state, bool saved)
    : communicator_(communicator),
      options_(options),
      context_(context),
      trainer_(trainer),
      validation_(validation),
      requests_(requests),
      watch_(watch),
      observers_(std::move(observers)),
      state_(std::move(state)),
      saved_(saved) {
  if (!options.background_checkpoints) return;
  writer_ = std::make_unique<checkpoint::BackgroundWriter>(communicator, context);
}

failure::ExitCode PretrainLoop::run() {
  // A signal may have come while the run was being prepared.
  stop_ = communicator_.maximum(requests_.now().stop ? 1 : 0) != 0;
  try {
    take_steps();
  } catch (const failure::AgreedError&) {
    static_cast<void>(trainer_.parameters());  // on their way: until they are there, their memory has to be
    // What is being written is of a good state.
    try {
      finish_saving();
    } catch (const failure::AgreedError&) {  // the first one is told
    }
    run::Activity::enter(run::Activity::Phase::end, state_.step);
    throw;
  }
  run::Activity::enter(run::Activity::Phase::end, state_.step);
  for (metrics::StepObserver* observer : observers_) {
    observer->run_ended(
        {state_.step, options_.schedule.steps, weights_hash_, models::checkpoint_folder(context_.run, state_.step)});
  }
  if (stop_) requests_.stopped();
  return state_.step < options_.schedule.steps ? failure::ExitCode::stopped_early : failure::ExitCode::done;
}

void PretrainLoop::take_steps() {
  while (!stop_ && state_.step < options_.schedule.steps) take_step();
  finish_saving();
  if (saved_) return;
  weights_hash_ = checkpoint::agreed_weights_hash(communicator_, trainer_.parameters().span(), state_.step);
  save_now();
}

void PretrainLoop::take_step() {
  const Clock::time_point start = Clock::now();
  run::Activity::enter(run::Activity::Phase::step, state_.step + 1);
  step::StepRequests asked = requests_.now();
  asked.saved = writer_ && writer_->under_way() && writer_->ended();
  const step::StepOutcome outcome = trainer_.step(asked);
  if (outcome.requests.saved) finish_saving();
  const bool updated = outcome.status == step::StepStatus::updated;
  state_.skipped_in_row = updated ? 0 : state_.skipped_in_row + 1;
  if (state_.skipped_in_row > options_.max_skips) return roll_back(outcome);
  if (!updated) trainer_.pass_over();
  state_.step = trainer_.steps_taken();
  state_.samples_consumed = trainer_.samples_consumed();
  saved_ = false;
  stop_ = outcome.requests.stop;
  const double step_seconds = seconds_since(start);

  watch_.step_taken(outcome);
  const RankWatch::Look look = due(state_.step, options_.log_every) ? watch_.look() : RankWatch::Look{};

  const std::optional<ValidationLoss> validated = validation_loss();
  const bool save_due =
      outcome.requests.save || due(state_.step, options_.checkpoint_every) || due(state_.step, options_.keep_every);
  // While no step can be taken, the state is perhaps one that no step will be taken from.
  const bool save_now = stop_ || at_last_step() || (save_due && updated);
  weights_hash_ =
      save_now ? checkpoint::agreed_weights_hash(communicator_, trainer_.parameters().span(), state_.step) : "";
  state_.elapsed_seconds += seconds_since(start);
  requests_.step_took(seconds_since(start));
  tell(outcome, step_seconds, validated, look);
  if (save_now) {
    const Clock::time_point saving = Clock::now();
    save();
    state_.elapsed_seconds += seconds_since(saving);
  }
}

void PretrainLoop::throw_diverged(const step::StepOutcome& outcome, const std::string& more) const {
  const std::int64_t first = outcome.step - state_.skipped_in_row + 1;
  throw failure::AgreedError(
      failure::ExitCode::bad_data,
      fmt::format("step {}: {}{}{}; the weights were not updated, and earlier checkpoints are intact", outcome.step,
                  describe_failure(outcome),
                  first < outcome.step ? fmt::format(", as steps from {} on were passed over (--max-skips {})", first,
                                                     options_.max_skips)
                                       : "",
                  more));
}

void PretrainLoop::roll_back(const step::StepOutcome& outcome) {
  if (!options_.roll_back) throw_diverged(outcome, "");
  const run::Activity::During preparing(run::Activity::Phase::start);
  finish_saving();
  comm::agree_on_first(communicator_, [&] { context_.require_hold(); });
  const auto checkpoint = checkpoint::find_intact_checkpoint(communicator_, context_.run);
  if (!checkpoint) throw_diverged(outcome, ", and there is no checkpoint to go back to");
  checkpoint::TrainingState then;
  comm::agree(communicator_, [&] { then = checkpoint::read_training_state(*checkpoint); });
  if (rolled_back_to_ == then.step) {
    throw_diverged(outcome, fmt::format(", also with other samples behind step {}", then.step));
  }
  restore_trainer(communicator_, *checkpoint, then, trainer_);
  const metrics::Rollback rollback = {
      .from_step = outcome.step,
      .to_step = then.step,
      .first_sample = then.samples_consumed,
      .end_sample = state_.samples_consumed + static_cast<std::uint64_t>(trainer_.next_batch()),
      .why = describe_failure(outcome)};
  state_.step = then.step;
  state_.samples_passed_over = then.samples_passed_over + (rollback.end_sample - rollback.first_sample);
  state_.samples_consumed = rollback.end_sample;
  state_.skipped_in_row = 0;
  trainer_.set_progress(state_.step, state_.samples_consumed);
  saved_ = true;  // for a stop: the same command would come here again
  stop_ = outcome.requests.stop;
  rolled_back_to_ = then.step;
  rolled_back_ = fmt::format("at step {}: {}; samples {} to {} were passed over", rollback.from_step, rollback.why,
                             rollback.first_sample, rollback.end_sample);
  for (metrics::StepObserver* observer : observers_) observer->rolled_back(rollback);
}

std::optional<ValidationLoss> PretrainLoop::validation_loss() {
  if (validation_.empty() || !(due(state_.step, options_.validate_every) || at_last_step())) return std::nullopt;
  const run::Activity::During validating(run::Activity::Phase::validation);
  return validate_sets(communicator_, trainer_.decoder(), trainer_.parameters().span(), validation_,
                       options_.micro_batch);
}

void PretrainLoop::save() {
  finish_saving();
  if (!writer_ || stop_ || at_last_step()) return save_now();
  const run::Activity::During saving(run::Activity::Phase::saving);
  const Clock::time_point start = Clock::now();
  for (metrics::StepObserver* observer : observers_) observer->checkpoint_begins();
  requests_.begin_interval();
  writer_->begin(snapshot_of(trainer_, state_, weights_hash_));
  copy_seconds_ = seconds_since(start);
  saved_ = true;
}

void PretrainLoop::save_now() {
  const run::Activity::During saving(run::Activity::Phase::saving);
  const Clock::time_point start = Clock::now();
  for (metrics::StepObserver* observer : observers_) observer->checkpoint_begins();
  checkpoint::write_checkpoint(communicator_, context_, snapshot_of(trainer_, state_, weights_hash_));
  saved_ = true;
  requests_.begin_interval();
  requests_.saved(seconds_since(start), seconds_since(start));
}

void PretrainLoop::finish_saving() {
  if (!writer_ || !writer_->under_way()) return;
  const run::Activity::During saving(run::Activity::Phase::saving);
  writer_->finish();
  requests_.saved(writer_->seconds(), copy_seconds_ + writer_->processor_seconds());
}

void PretrainLoop::tell(const step::StepOutcome& outcome, double step_seconds,
                        const std::optional<ValidationLoss>& validated, const RankWatch::Look& look) {
  const std::int64_t length = trainer_.decoder().config().sequence_length;
  const windows::BatchSizes batches = batch_sizes(options_);
  const auto samples_left =
      static_cast<double>(batches.of_steps(options_.schedule.steps) - batches.of_steps(state_.step));
  const metrics::StepRecord record = {
      .step = state_.step,
      .last_step = options_.schedule.steps,
      .samples = state_.samples_consumed,
      .tokens = static_cast<std::int64_t>(state_.samples_consumed) * length,
      .loss_nats = outcome.nonfinite_tokens == 0 ? outcome.loss_nats : NAN,
      .learning_rate = outcome.learning_rate,
      .gradient_norm = outcome.status == step::StepStatus::updated ? outcome.gradient_norm : NAN,
      .step_tokens = outcome.tokens,
      .steps_left = samples_left / static_cast<double>(batches.of_step(state_.step)),
      .step_seconds = step_seconds,
      .elapsed_seconds = state_.elapsed_seconds,
      .validation_loss_nats = validated ? std::optional(validated->nats) : std::nullopt,
      .source_losses_nats = validated ? validated->named : std::vector<std::pair<std::string, double>>(),
      .weights_hash = weights_hash_,
      .skipped = describe_failure(outcome),
      .rolled_back = std::exchange(rolled_back_, ""),
      .stop = stop_,
      .peak_tokens_per_second = peak_tokens_per_second_,
      .joules_per_token = look.joules_per_token,
      .slow_rank = look.slow_rank};
  const run::Activity::During files(run::Activity::Phase::files);
  for (metrics::StepObserver* observer : observers_) observer->step_taken(record);
}

}  // namespace chainrule::pipeline::pretrain
