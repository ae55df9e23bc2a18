#include "model/sampling/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/error.h"
#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::sampling {
namespace {

CHAINRULE_MULTIVERSION
void exponentiate(const float* logits, std::int64_t count, float largest, float inverse_temperature, float* weights) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) weights[i] = simd::exponential((logits[i] - largest) * inverse_temperature);
}

}  // namespace

void validate(const SamplingOptions& options) {
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature)) {
    throw Error(fmt::format("the temperature must be 0 or more, not {}", options.temperature));
  }
  if (options.top_k < 0) throw Error(fmt::format("top-k must be 0 (all) or more, not {}", options.top_k));
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    throw Error(fmt::format("top-p must be above 0 and at most 1, not {}", options.top_p));
  }
  if (!(options.min_p >= 0 && options.min_p <= 1)) {
    throw Error(fmt::format("min-p must be from 0 to 1, not {}", options.min_p));
  }
  // Far outside of this, a penalty is no float, or makes logits that are none.
  if (!(options.repetition_penalty >= 0.01 && options.repetition_penalty <= 100)) {
    throw Error(fmt::format("the repetition penalty must be from 0.01 to 100, not {}", options.repetition_penalty));
  }
}

Sampler::Sampler(const SamplingOptions& options, std::int64_t vocabulary_size) : options_(options) {
  validate(options_);
  logits_.resize(static_cast<std::size_t>(vocabulary_size));
  weights_.resize(logits_.size());
  penalised_.resize(logits_.size());
}

void Sampler::penalise(std::span<const std::uint32_t> seen) {
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  for (const std::uint32_t token : seen) {
    if (penalised_[token]) continue;
    penalised_[token] = true;
    float& logit = logits_[token];
    logit = logit > 0 ? logit / penalty : logit * penalty;
  }
  for (const std::uint32_t token : seen) penalised_[token] = false;
}

std::optional<std::uint32_t> Sampler::sample(std::span<const float> logits, std::span<const std::uint32_t> seen,
                                             double uniform) {
  if (logits.size() != logits_.size()) throw Error("sample: logits of another vocabulary");
  bool finite = true;
  for (std::size_t i = 0; i < logits_.size(); ++i) {
    finite &= std::isfinite(logits[i]);
    logits_[i] = logits[i];
  }
  if (!finite) return std::nullopt;
  if (options_.repetition_penalty != 1) penalise(seen);
  const auto largest = std::max_element(logits_.begin(), logits_.end());
  // A temperature so small that its inverse overflows is greedy in the limit.
  const auto inverse_temperature = static_cast<float>(1.0 / options_.temperature);
  if (options_.temperature == 0 || !std::isfinite(inverse_temperature)) {
    return static_cast<std::uint32_t>(largest - logits_.begin());
  }
  exponentiate(logits_.data(), static_cast<std::int64_t>(logits_.size()), *largest, inverse_temperature,
               weights_.data());
  if (options_.top_k == 0 && options_.top_p == 1 && options_.min_p == 0) return draw_from_all(uniform);
  keep_likeliest();
  return draw_from_kept(uniform);
}

std::uint32_t Sampler::draw_from_all(double uniform) const {
  double sum = 0;
  for (const float weight : weights_) sum += weight;
  const double wanted = uniform * sum;
  double reached = 0;
  for (std::size_t token = 0; token < weights_.size(); ++token) {
    reached += weights_[token];
    if (reached > wanted) return static_cast<std::uint32_t>(token);
  }
  return static_cast<std::uint32_t>(weights_.size() - 1);  // rounding left `wanted` unreached
}

void Sampler::keep_likeliest() {
  const auto less_likely = [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight < b.weight : a.token > b.token;
  };
  candidates_.clear();
  for (std::size_t token = 0; token < weights_.size(); ++token) {
    candidates_.push_back({weights_[token], static_cast<std::uint32_t>(token)});
  }
  const auto top_k = static_cast<std::size_t>(options_.top_k);
  if (top_k != 0 && top_k < candidates_.size()) {
    std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(top_k), candidates_.end(),
                     [&](const Candidate& a, const Candidate& b) { return less_likely(b, a); });
    candidates_.resize(top_k);
  }
  double mass = 0;
  for (const Candidate& candidate : candidates_) mass += candidate.weight;

  // A heap gives the candidates likeliest first, for as long as they are wanted.
  std::make_heap(candidates_.begin(), candidates_.end(), less_likely);
  const double least = options_.min_p * static_cast<double>(candidates_.front().weight);
  kept_.clear();
  kept_mass_ = 0;
  while (!candidates_.empty()) {
    const Candidate likeliest = candidates_.front();
    const bool enough = kept_mass_ >= options_.top_p * mass || likeliest.weight < least;
    if (!kept_.empty() && enough) break;
    kept_.push_back(likeliest);
    kept_mass_ += likeliest.weight;
    std::pop_heap(candidates_.begin(), candidates_.end(), less_likely);
    candidates_.pop_back();
  }
}

std::uint32_t Sampler::draw_from_kept(double uniform) const {
  const double wanted = uniform * kept_mass_;
  double reached = 0;
  for (const Candidate& candidate : kept_) {
    reached += candidate.weight;
    if (reached > wanted) return candidate.token;
  }
  return kept_.back().token;
}

}  // namespace chainrule::model::sampling
