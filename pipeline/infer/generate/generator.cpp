#include "pipeline/infer/generate/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "model/decoder/decode_state.h"
#include "model/ops/cross_entropy.h"
#include "model/round_up.h"
#include "model/sampling/random_stream.h"
#include "pipeline/failure/error.h"
#include "pipeline/infer/generate/text_stream.h"

namespace chainrule::pipeline::infer::generate {
namespace {

/// A sample that is being written, in the slot of its place in the batch.
struct Writing {
  Writing(const model::sampling::RandomStream& with_random, const std::vector<std::string>& stops)
      : random(with_random), stream(stops) {}

  std::int64_t sequence = 0;
  std::int64_t slot = 0;
  std::int64_t row = 0;  // of its logits in the decode state
  std::int64_t maximum_tokens = 0;
  std::vector<io::tokenizer::TokenId> tokens;  // prompt and sampled
  model::sampling::RandomStream random;
  TextStream stream;
  Sample sample;
  std::optional<io::tokenizer::TokenId> chosen;
  bool ended = false;
};

std::span<const io::tokenizer::TokenId> last_of(std::span<const io::tokenizer::TokenId> tokens, std::int64_t count) {
  return tokens.last(std::min(tokens.size(), static_cast<std::size_t>(count)));
}

/// Tokens that the longest sequence may come to hold.
std::int64_t capacity_for(std::span<const Prompt> prompts, std::int64_t context) {
  std::int64_t longest = 1;
  for (const Prompt& prompt : prompts) {
    const std::int64_t generated = std::min(prompt.maximum_tokens, context);
    longest = std::max(longest, static_cast<std::int64_t>(prompt.tokens.size()) + generated - 1);
  }
  return std::min(longest, context);
}

}  // namespace

std::string_view name_of(Finish finish) {
  switch (finish) {
    case Finish::end_of_text: return "end_of_text";
    case Finish::stop: return "stop";
    case Finish::length: return "length";
  }
  return "";
}

struct Generator::State {
  State(const models::TextModel& with_model, std::span<const Prompt> with_prompts,
        const GenerationOptions& with_options, model::ops::Ops& with_ops)
      : model(with_model),
        prompts(with_prompts),
        options(with_options),
        ops(with_ops),
        sequences(static_cast<std::int64_t>(prompts.size()) * options.samples),
        batch_size(std::min(options.batch, sequences)),
        decoding(model.model.config,
                 {.slots = batch_size, .capacity = capacity_for(prompts, model.model.config.sequence_length)}, ops),
        samplers(static_cast<std::size_t>(decoding.slots()),
                 model::sampling::Sampler(options.sampling, model.model.config.vocabulary_size)) {}

  std::vector<Writing> begin(std::int64_t batch);
  void choose(std::vector<Writing>& writing);
  void take(Writing& each, const TextListener& listener);
  void advance(std::vector<Writing>& writing);

  const models::TextModel& model;
  std::span<const Prompt> prompts;
  GenerationOptions options;
  model::ops::Ops& ops;
  std::int64_t sequences;
  std::int64_t batch_size;
  model::decoder::DecodeState decoding;
  std::vector<model::sampling::Sampler> samplers;  // one for each slot
};

/// Reads a batch's prompts, each once, however many of its samples are in the batch.
std::vector<Writing> Generator::State::begin(std::int64_t batch) {
  std::vector<Writing> writing;
  std::vector<model::decoder::SlotPrompt> reading;
  const std::int64_t first = batch * batch_size;
  for (std::int64_t sequence = first; sequence < std::min(sequences, first + batch_size); ++sequence) {
    const std::int64_t index = sequence / options.samples;
    const std::int64_t number = sequence % options.samples;
    const Prompt& prompt = prompts[static_cast<std::size_t>(index)];
    const std::int64_t slot = sequence - first;
    if (writing.empty() || writing.back().sample.prompt != index) {
      reading.push_back({slot, last_of(prompt.tokens, decoding.capacity())});
    }
    Writing& each = writing.emplace_back(model::sampling::RandomStream(options.seed, static_cast<std::uint64_t>(index),
                                                                       static_cast<std::uint64_t>(number)),
                                         options.stops);
    each.sequence = sequence;
    each.slot = slot;
    each.row = static_cast<std::int64_t>(reading.size()) - 1;
    each.maximum_tokens = prompt.maximum_tokens;
    each.tokens = prompt.tokens;
    each.sample.prompt = index;
    each.sample.sample = number;
  }
  decoding.prefill(model.model.weights(), reading);
  for (const Writing& each : writing) {
    decoding.copy(reading[static_cast<std::size_t>(each.row)].slot, each.slot);
  }
  return writing;
}

/// The next token of every sample and its probability, from the logits of the last call.
void Generator::State::choose(std::vector<Writing>& writing) {
  const auto count = static_cast<std::int64_t>(writing.size());
  std::vector<double> uniform;
  for (Writing& each : writing) uniform.push_back(each.random.next());
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    Writing& each = writing[static_cast<std::size_t>(i)];
    each.chosen = samplers[static_cast<std::size_t>(each.slot)].sample(decoding.logits(each.row), each.tokens,
                                                                       uniform[static_cast<std::size_t>(i)]);
  }
  for (Writing& each : writing) {
    if (!each.chosen) {
      throw failure::Error(
          failure::ExitCode::bad_data,
          fmt::format("{}: the model '{}' gives logits that are not finite",
                      prompts[static_cast<std::size_t>(each.sample.prompt)].name, model.model.folder.string()));
    }
    const std::span<const float> logits = decoding.logits(each.row);
    const auto vocabulary = static_cast<std::int64_t>(logits.size());
    double nll_nats = 0;
    ops.run(model::ops::CrossEntropyForward{.rows = 1,
                                            .vocabulary = vocabulary,
                                            .logits = logits.data(),
                                            .stride = vocabulary,
                                            .targets = &*each.chosen,
                                            .nll = &nll_nats});
    each.sample.nll_nats += nll_nats;
  }
}

void Generator::State::take(Writing& each, const TextListener& listener) {
  const io::tokenizer::TokenId token = *each.chosen;
  each.tokens.push_back(token);
  each.sample.tokens.push_back(token);
  const auto end = [&](Finish finish) {
    each.sample.finish = finish;
    each.ended = true;
  };
  std::string piece;
  if (token == model.tokenizer.end_of_text() || token == model.tokenizer.named_end()) {
    end(Finish::end_of_text);
  } else {
    piece = each.stream.push(models::token_bytes(model.tokenizer, token));
    if (each.stream.stopped()) {
      end(Finish::stop);
    } else if (static_cast<std::int64_t>(each.sample.tokens.size()) == each.maximum_tokens) {
      end(Finish::length);
    }
  }
  if (each.ended) {
    piece += each.stream.finish();
    each.sample.text = each.stream.text();
  }
  if (!piece.empty()) listener(each.sequence, piece);
}

/// Feeds every sample's newest token. A full context first lets its older half go: learned positions begin at 0, so
/// what is kept is read again.
void Generator::State::advance(std::vector<Writing>& writing) {
  std::vector<model::decoder::SlotPrompt> sliding;
  std::vector<model::decoder::SlotToken> tokens;
  for (Writing& each : writing) {
    if (decoding.length(each.slot) == decoding.capacity()) {
      const std::span<const io::tokenizer::TokenId> before(each.tokens.data(), each.tokens.size() - 1);
      sliding.push_back({each.slot, last_of(before, decoding.capacity() / 2)});
      ++each.sample.slides;
    }
    each.row = static_cast<std::int64_t>(tokens.size());
    tokens.push_back({each.slot, each.tokens.back()});
  }
  if (!sliding.empty()) decoding.prefill(model.model.weights(), sliding);
  decoding.step(model.model.weights(), tokens);
}

Generator::Generator(const models::TextModel& model, std::span<const Prompt> prompts, const GenerationOptions& options,
                     model::ops::Ops& ops)
    : state_(std::make_unique<State>(model, prompts, options, ops)) {}
Generator::~Generator() = default;

std::int64_t Generator::batches() const { return model::divide_up(state_->sequences, state_->batch_size); }

std::vector<Sample> Generator::run(std::int64_t batch, const TextListener& listener) {
  State& s = *state_;
  std::vector<Writing> writing = s.begin(batch);
  std::vector<Sample> samples(writing.size());
  while (true) {
    s.choose(writing);
    for (Writing& each : writing) {
      s.take(each, listener);
      if (each.ended) samples[static_cast<std::size_t>(each.slot)] = std::move(each.sample);
    }
    std::erase_if(writing, [](const Writing& each) { return each.ended; });
    if (writing.empty()) return samples;
    s.advance(writing);
  }
}

}  // namespace chainrule::pipeline::infer::generate
