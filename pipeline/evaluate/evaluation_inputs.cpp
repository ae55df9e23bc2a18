#include "pipeline/evaluate/evaluation_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "io/tokenizer/tokenizer.h"
#include "io/tokens/data_set_pair.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/text_model.h"

namespace chainrule::pipeline::evaluate {
namespace {

/// `pack --held-out` writes a pair of data sets; one of them is to be named.
void refuse_pair(const std::filesystem::path& folder) {
  if (io::tokens::find_pair(folder).whole()) {
    throw failure::Error(failure::ExitCode::usage, "--data " + io::tokens::name_one_of_pair(folder));
  }
}

void check_same_vocabulary(const models::LoadedModel& model, const io::tokens::TokenStream& data) {
  if (model.tokenizer_fingerprint != data.tokenizer_fingerprint()) {
    throw failure::Error(
        failure::ExitCode::bad_data,
        fmt::format("model and data have different tokenizers: the fingerprint is {} in '{}' and {} in '{}'",
                    model.tokenizer_fingerprint, model.folder.string(), data.tokenizer_fingerprint(),
                    data.path().string()));
  }
  if (!models::fits(data.vocabulary_size(), model)) {
    throw failure::Error(
        failure::ExitCode::bad_data,
        fmt::format("the model '{}' has a vocabulary of {}, the data set '{}' one of {}", model.folder.string(),
                    model.config.vocabulary_size, data.path().string(), data.vocabulary_size()));
  }
}

/// A model can be compared with another one that reads and predicts the same tokens.
void check_baseline(const models::LoadedModel& model, const models::LoadedModel& baseline) {
  if (baseline.tokenizer_fingerprint != model.tokenizer_fingerprint) {
    throw failure::Error(
        failure::ExitCode::bad_data,
        fmt::format("model and baseline have different tokenizers: the fingerprint is {} in '{}' and {} in '{}'",
                    model.tokenizer_fingerprint, model.folder.string(), baseline.tokenizer_fingerprint,
                    baseline.folder.string()));
  }
  if (baseline.config.vocabulary_size != model.config.vocabulary_size) {
    throw failure::Error(
        failure::ExitCode::bad_data,
        fmt::format("the model '{}' has a vocabulary of {}, the baseline '{}' one of {}", model.folder.string(),
                    model.config.vocabulary_size, baseline.folder.string(), baseline.config.vocabulary_size));
  }
}

/// Throws Error usage where the baseline cannot read windows of that length.
void check_context(const windows::WorkUnitOptions& units, const EvaluationInputs& inputs) {
  if (!inputs.baseline || units.windows.context_length <= inputs.baseline->config.sequence_length) return;
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("--baseline '{}' reads {} tokens, fewer than the context length {}; choose a "
                                   "--context-length that both models have",
                                   inputs.baseline->folder.string(), inputs.baseline->config.sequence_length,
                                   units.windows.context_length));
}

/// What padding is read as, and documents behind. Another system's model says what it reads texts behind; a checkpoint
/// was trained on streams such as this one.
std::uint32_t start_token_of(const EvaluationPlan& plan, EvaluationInputs& inputs) {
  using windows::protocol::Prefix;
  const Prefix prefix = plan.subject.windows.protocol->prefix;
  if (prefix == Prefix::tokenizer) return inputs.texts->tokenizer().start_token();
  if (plan.subject.windows.has_beginning) return plan.around.before.front();
  return inputs.model.start_token.value_or(inputs.data->start_token());
}

EvaluationPlan plan_of(const EvaluateOptions& options, const windows::WorkUnitOptions& units,
                       EvaluationInputs& inputs) {
  const models::LoadedModel& model = inputs.model;
  const io::tokens::TokenStream& data = *inputs.data;
  const std::uint64_t all = data.document_count();
  EvaluationPlan plan;
  plan.subject = {.windows = units.windows,
                  .weights_hash = model.weights_hash,
                  .step = model.step,
                  .average = model.average,
                  .data_fingerprint = data.fingerprint(),
                  .tokenizer_fingerprint = model.tokenizer_fingerprint,
                  .vocabulary_size = data.vocabulary_size(),
                  .documents = options.max_documents != 0 ? std::min(options.max_documents, all) : all};
  if (options.protocol->text != windows::protocol::Text::documents) {
    plan.around = {inputs.texts->tokenizer().template_before(), inputs.texts->tokenizer().template_after()};
  }
  plan.subject.windows.has_beginning =
      options.protocol->prefix == windows::protocol::Prefix::beginning && !plan.around.before.empty();
  plan.micro_batch = units.micro_batch;
  plan.start_token = start_token_of(plan, inputs);
  plan.math = options.math == model::products::Math::bf16 ? "bf16" : "float32";
  plan.part = options.part;
  plan.conditions = inputs.conditions;
  plan.model = std::filesystem::absolute(options.model);
  plan.data = std::filesystem::absolute(options.data);
  if (inputs.baseline) {
    plan.baseline = {inputs.baseline->weights_hash, inputs.baseline->step};
    plan.baseline_path = std::filesystem::absolute(options.baseline);
  }
  return plan;
}

}  // namespace

std::unique_ptr<const io::tokens::TokenStream> open_data(const std::filesystem::path& path,
                                                         const io::tokens::LoadTokenizer& load_tokenizer) {
  refuse_pair(path);
  return io::tokens::open_token_stream(path, load_tokenizer);
}

EvaluationInputs open_model_and_data(const comm::Communicator& communicator, const EvaluateOptions& options,
                                     const run::Environment& environment) {
  // The cheap checks come first: a mistyped path should not wait for a large model.
  std::unique_ptr<const io::tokens::TokenStream> data;
  bool is_ours = true;
  comm::agree(communicator, [&] {
    refuse_pair(options.data);
    is_ours = !io::tokens::needs_tokenizer(options.data);
  });
  comm::require_same(communicator, failure::ExitCode::bad_data, fmt::format("the data set '{}'", options.data.string()),
                     is_ours ? "ours" : "another system's");
  std::optional<models::LoadedModel> model;
  if (!is_ours) model.emplace(models::load_same_model(communicator, options.model));  // for its tokenizer
  comm::agree(communicator, [&] {
    data = open_data(options.data, [&] { return std::make_shared<io::tokenizer::Tokenizer>(model->load_tokenizer()); });
  });
  comm::require_same(communicator, failure::ExitCode::bad_data, fmt::format("the data set '{}'", options.data.string()),
                     data->fingerprint());
  if (!model) model.emplace(models::load_same_model(communicator, options.model));
  comm::agree(communicator, [&] { check_same_vocabulary(*model, *data); });
  std::optional<models::LoadedModel> baseline;
  if (!options.baseline.empty()) {
    baseline.emplace(models::load_same_model(communicator, options.baseline));
    comm::agree(communicator, [&] { check_baseline(*model, *baseline); });
  }
  if (options.protocol != nullptr) {
    comm::agree(communicator, [&] { resolve(options, model->config.sequence_length); });
  }
  comm::agree(communicator, [&] {
    io::tokens::verify_shards(*data, static_cast<std::size_t>(communicator.rank()),
                              static_cast<std::size_t>(communicator.size()));
  });
  EvaluationInputs inputs{std::move(*model), std::move(baseline), std::move(data), nullptr, {}, {}, nullptr};
  inputs.conditions = run::conditions_of(environment);
  inputs.texts = std::make_unique<ProtocolText>(*inputs.data, inputs.model.load_tokenizer);
  return inputs;
}

std::string choose_protocol(const comm::Communicator& communicator, const EvaluateOptions& options,
                            EvaluationInputs& inputs) {
  comm::agree(communicator, [&] {
    const windows::WorkUnitOptions units = resolve(options, inputs.model.config.sequence_length);
    check_context(units, inputs);
    inputs.plan = plan_of(options, units, inputs);
  });
  std::string why_not = prepare_text(communicator, inputs.plan, *inputs.texts);
  if (why_not.empty()) inputs.text = &inputs.texts->of(inputs.plan);
  return why_not;
}

EvaluationInputs open_inputs(const comm::Communicator& communicator, const EvaluateOptions& options,
                             const run::Environment& environment) {
  EvaluationInputs inputs = open_model_and_data(communicator, options, environment);
  if (const std::string why_not = choose_protocol(communicator, options, inputs); !why_not.empty()) {
    throw failure::AgreedError(failure::ExitCode::bad_data,
                               fmt::format("nothing to score in '{}': {}", options.data.string(), why_not));
  }
  return inputs;
}

}  // namespace chainrule::pipeline::evaluate
