#include "pipeline/measure/decode_speed.h"

#include <vector>

#include "model/arena.h"
#include "model/decoder/decode_state.h"
#include "model/shape/initialise.h"
#include "model/shape/parameters.h"
#include "model/simd/multiversion.h"
#include "pipeline/measure/timing.h"

namespace chainrule::pipeline::measure {
namespace {

constexpr std::int64_t kReadElements = 1 << 26;  // 256 MiB
constexpr std::int64_t kPiece = 1 << 12;         // elements of one stream that a thread reads in a call

/// Sum over four streams `stride` elements apart, `count` elements each.
CHAINRULE_MULTIVERSION
float sum_of_streams(const float* from, std::int64_t stride, std::int64_t count) {
  float a = 0;
  float b = 0;
  float c = 0;
  float d = 0;
#pragma omp simd reduction(+ : a, b, c, d)
  for (std::int64_t i = 0; i < count; ++i) {
    a += from[i];
    b += from[i + stride];
    c += from[i + 2 * stride];
    d += from[i + 3 * stride];
  }
  return a + b + c + d;
}

float read_once(const model::Arena& memory) {
  const std::int64_t stride = memory.size() / 4;
  float sum = 0;
#pragma omp parallel for schedule(static) reduction(+ : sum)
  for (std::int64_t at = 0; at < stride; at += kPiece) sum += sum_of_streams(memory.data() + at, stride, kPiece);
  return sum;
}

}  // namespace

DecodeSpeed measure_decode_speed(const model::shape::Config& config, model::ops::Ops& ops, std::int64_t sequences,
                                 std::int64_t prompt_tokens, std::int64_t steps) {
  const model::shape::ParameterTable table(config);
  model::Arena parameters(table.arena_size());
  model::shape::initialise(config, table, 1, parameters.span());
  model::decoder::DecodeState state(config, {.slots = sequences, .capacity = prompt_tokens + steps + 1}, ops);
  const std::vector<std::uint32_t> prompt(static_cast<std::size_t>(prompt_tokens), 0);
  std::vector<model::decoder::SlotPrompt> prompts;
  std::vector<model::decoder::SlotToken> tokens;
  for (std::int64_t slot = 0; slot < sequences; ++slot) {
    prompts.push_back({slot, prompt});
    tokens.push_back({slot, static_cast<std::uint32_t>(slot % config.vocabulary_size)});
  }
  state.prefill(parameters.span(), prompts);  // builds what the next one uses
  const double prompt_seconds = seconds_of([&] { state.prefill(parameters.span(), prompts); });
  state.step(parameters.span(), tokens);  // builds what the first step builds

  model::Arena memory(kReadElements);
  for (float& value : memory.span()) value = 1;  // pages that are really there
  volatile float kept = 0;                       // so that the sums are made
  std::vector<double> step_seconds;
  std::vector<double> read_seconds;
  for (std::int64_t step = 0; step < steps; ++step) {
    step_seconds.push_back(seconds_of([&] { state.step(parameters.span(), tokens); }));
    read_seconds.push_back(seconds_of([&] { kept = read_once(memory); }));
  }
  static_cast<void>(kept);

  DecodeSpeed speed;
  speed.sequences = sequences;
  speed.prompt_tokens = prompt_tokens;
  speed.prompt_tokens_per_second = static_cast<double>(sequences * prompt_tokens) / prompt_seconds;
  speed.tokens_per_second = static_cast<double>(sequences) / median(step_seconds);
  speed.weight_bytes = model::decoder::decode_weight_bytes(config);
  speed.read_bytes_per_second =
      static_cast<double>(kReadElements * static_cast<std::int64_t>(sizeof(float))) / median(read_seconds);
  speed.bound_tokens_per_second =
      static_cast<double>(sequences) * speed.read_bytes_per_second / static_cast<double>(speed.weight_bytes);
  return speed;
}

}  // namespace chainrule::pipeline::measure
