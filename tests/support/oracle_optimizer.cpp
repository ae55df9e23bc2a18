#include "tests/support/oracle_optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chainrule::tests::oracle {

double learning_rate(const OptimizerSettings& settings, std::int64_t step) {
  const auto now = static_cast<double>(step);
  const auto warmup = static_cast<double>(settings.warmup_steps);
  if (now <= warmup) return settings.peak_learning_rate * now / warmup;
  const double progress = std::min(1.0, (now - warmup) / (static_cast<double>(settings.steps) - warmup));
  return std::lerp(settings.minimum_learning_rate, settings.peak_learning_rate,
                   0.5 + 0.5 * std::cos(std::numbers::pi * progress));
}

double global_norm(const Tensors& gradients) {
  double squares = 0;
  for (const auto& [name, tensor] : gradients) {
    for (const double value : tensor.values) squares += value * value;
  }
  return std::sqrt(squares);
}

Optimizer::Optimizer(const model::shape::Config& config, const OptimizerSettings& settings)
    : settings_(settings), first_(zero_parameters(config)), second_(zero_parameters(config)) {}

void Optimizer::step(Tensors& parameters, const Tensors& gradients, std::int64_t tokens) {
  ++taken_;
  const double rate = learning_rate(settings_, taken_);
  const double mean_norm = global_norm(gradients) / static_cast<double>(tokens);
  const double clip = mean_norm > settings_.clip_norm ? settings_.clip_norm / mean_norm : 1.0;
  const double bias1 = 1.0 - std::pow(settings_.beta1, static_cast<double>(taken_));
  const double bias2 = 1.0 - std::pow(settings_.beta2, static_cast<double>(taken_));
  for (auto& [name, parameter] : parameters) {
    const double decay = parameter.shape.size() == 2 ? settings_.weight_decay : 0.0;
    for (std::size_t i = 0; i < parameter.values.size(); ++i) {
      const double g = clip * gradients.at(name).values[i] / static_cast<double>(tokens);
      double& m = first_.at(name).values[i];
      double& v = second_.at(name).values[i];
      m = settings_.beta1 * m + (1.0 - settings_.beta1) * g;
      v = settings_.beta2 * v + (1.0 - settings_.beta2) * g * g;
      const double update = (m / bias1) / (std::sqrt(v / bias2) + settings_.epsilon);
      parameter.values[i] -= rate * (update + decay * parameter.values[i]);
    }
  }
}

}  // namespace chainrule::tests::oracle
