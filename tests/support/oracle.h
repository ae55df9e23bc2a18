#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/shape/config.h"

/// The decoder a second time, in float64, for tests: one sequence at a time, whole matrices, every derivative written
/// by hand. It shares no code with model/: only the configuration and the parameters' names are the same.
namespace chainrule::tests::oracle {

struct Tensor {
  std::vector<std::int64_t> shape;  ///< [out, in] or [n]
  std::vector<double> values;       ///< row-major
};

using Tensors = std::map<std::string, Tensor>;

inline constexpr std::int64_t kNoTarget = -1;

/// One sequence, scored from position 0.
struct Text {
  std::vector<std::int64_t> inputs;   ///< token ids
  std::vector<std::int64_t> targets;  ///< token ids, or kNoTarget
};

/// Zero tensors with the names and shapes of a configuration's parameters.
Tensors zero_parameters(const model::shape::Config& config);

/// [inputs, V], row-major.
std::vector<double> logits(const model::shape::Config& config, const Tensors& parameters, const Text& text);

/// -log p of each target in nats [inputs]; 0 where there is none.
std::vector<double> nll(const model::shape::Config& config, const Tensors& parameters, const Text& text);

/// Sum of nll over texts.
double loss(const model::shape::Config& config, const Tensors& parameters, const std::vector<Text>& texts);

/// Sum of (log Z)^2 over the tokens of texts that have a target, Z the normaliser of their softmax.
double squared_log_normalisers(const model::shape::Config& config, const Tensors& parameters,
                               const std::vector<Text>& texts);

/// d (loss + z_loss squared_log_normalisers) / d parameter of every parameter.
Tensors gradients(const model::shape::Config& config, const Tensors& parameters, const std::vector<Text>& texts,
                  double z_loss = 0);

}  // namespace chainrule::tests::oracle
