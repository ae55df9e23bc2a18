#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/ops/ops.h"
#include "model/sampling/sampler.h"
#include "pipeline/infer/generate/prompts.h"
#include "pipeline/models/text_model.h"

namespace chainrule::pipeline::infer::generate {

struct GenerationOptions {
  model::sampling::SamplingOptions sampling{};
  std::vector<std::string> stops{};  ///< texts that end a sample, none of them empty
  std::int64_t samples = 1;          ///< of each prompt
  std::int64_t batch = 8;            ///< sequences decoded together
  std::uint64_t seed = 0;
};

/// Why a sample ended.
enum class Finish { end_of_text, stop, length };
std::string_view name_of(Finish finish);

/// One continuation of a prompt.
struct Sample {
  std::int64_t prompt = 0;                     ///< its index
  std::int64_t sample = 0;                     ///< its number among the prompt's
  std::string text;                            ///< without a stop text or end-of-text
  std::vector<io::tokenizer::TokenId> tokens;  ///< all that were sampled
  double nll_nats = 0;                         ///< -log p of these under the model itself (no temperature, no filters)
  Finish finish = Finish::length;
  std::int64_t slides = 0;  ///< times the older half of a full context was let go
};

/// Hears a piece of text of a sequence as it comes; sequence = prompt * samples + sample.
using TextListener = std::function<void(std::int64_t sequence, std::string_view piece)>;

/// Continues prompts in batches. Sequences are cut into batches by their index, and each draws from a random stream of
/// (seed, prompt, sample), so that who decodes a batch changes nothing.
class Generator {
 public:
  /// model, prompts (prepared) and ops outlive it.
  Generator(const models::TextModel& model, std::span<const Prompt> prompts, const GenerationOptions& options,
            model::ops::Ops& ops);
  ~Generator();

  std::int64_t batches() const;
  /// The samples of one batch, in order of their index. Throws Error bad_data where logits are not finite.
  std::vector<Sample> run(std::int64_t batch, const TextListener& listener);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chainrule::pipeline::infer::generate
