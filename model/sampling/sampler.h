#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace chainrule::model::sampling {

/// How the next token is chosen. The steps apply in the order of the fields, each to what the one before left.
struct SamplingOptions {
  /// Logits of tokens already in the sequence are divided by it where positive and multiplied where negative; 1: off
  /// (Keskar et al. 2019). From 0.01 to 100.
  double repetition_penalty = 1;
  /// Logits are divided by it; 0: the likeliest token always, the lowest id among equals.
  double temperature = 1;
  /// Only the top_k likeliest tokens stay; 0: all.
  std::int64_t top_k = 0;
  /// Only the fewest likeliest tokens whose probabilities reach top_p together stay (Holtzman et al. 2020); 1: all.
  double top_p = 1;
  /// Only tokens at least min_p times as likely as the likeliest stay (Nguyen et al. 2024); 0: all.
  double min_p = 0;
};

/// Throws Error naming the first option out of range.
void validate(const SamplingOptions& options);

/// Chooses tokens from logits; holds scratch, so one for each thread.
class Sampler {
 public:
  Sampler(const SamplingOptions& options, std::int64_t vocabulary_size);

  /// The token that `uniform` in [0, 1) picks from the distribution after the options' steps; seen are the tokens
  /// already in the sequence. logits [vocabulary_size]. Nothing where a logit is not finite.
  std::optional<std::uint32_t> sample(std::span<const float> logits, std::span<const std::uint32_t> seen,
                                      double uniform);

 private:
  struct Candidate {
    float weight;
    std::uint32_t token;
  };
  void penalise(std::span<const std::uint32_t> seen);
  void keep_likeliest();
  std::uint32_t draw_from_all(double uniform) const;
  std::uint32_t draw_from_kept(double uniform) const;

  SamplingOptions options_;
  std::vector<float> logits_;
  std::vector<float> weights_;         // exp((logit - largest) / temperature)
  std::vector<Candidate> candidates_;  // scratch of keep_likeliest
  std::vector<Candidate> kept_;        // what top_k, top_p and min_p leave, likeliest first
  double kept_mass_ = 0;
  std::vector<bool> penalised_;
};

}  // namespace chainrule::model::sampling
