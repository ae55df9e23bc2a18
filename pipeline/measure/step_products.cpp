#include "pipeline/measure/step_products.h"

#include <algorithm>
#include <tuple>

#include "model/decoder/loss_blocks.h"
#include "model/ops/linear.h"
#include "model/shape/description.h"
#include "pipeline/measure/timing.h"

namespace chainrule::pipeline::measure {
StepProducts::StepProducts(const model::shape::Config& config, std::int64_t rows, model::ops::Ops& ops) : ops_(ops) {
  const auto add = [this](std::int64_t with_rows, std::int64_t in, std::int64_t out, std::int64_t times) {
    for (const Pass pass : {Pass::forward, Pass::backward_input, Pass::backward_weight}) {
      products_.push_back({pass, with_rows, in, out, times, {}});
    }
  };
  const model::shape::Description description = model::shape::describe(config);
  for (const model::shape::Part& part : description.layer.parts) {
    if (part.is_product()) add(rows, part.in(), part.out(), description.layers);
  }
  const model::shape::Part& head = description.head;
  const std::int64_t block = std::min(model::decoder::loss_block_rows(rows), rows);
  add(block, head.in(), head.out(), rows / block);
  if (rows % block != 0) add(rows % block, head.in(), head.out(), 1);

  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t weight = 0;
  for (const Product& each : products_) {
    input = std::max(input, each.rows * each.in);
    output = std::max(output, each.rows * each.out);
    weight = std::max(weight, each.in * each.out);
  }
  x_ = model::Arena(input);
  y_ = model::Arena(output);
  weight_ = model::Arena(weight);
  weight_gradient_ = model::Arena(weight);
  std::fill(x_.span().begin(), x_.span().end(), 0.5F);
  std::fill(weight_.span().begin(), weight_.span().end(), 0.01F);
}

void StepProducts::run(const Product& product) {
  const auto [pass, rows, in, out] = std::tuple(product.pass, product.rows, product.in, product.out);
  switch (pass) {
    case Pass::forward:
      ops_.run(model::ops::LinearForward{.rows = rows,
                                         .in = in,
                                         .out = out,
                                         .x = x_.data(),
                                         .weight = weight_.data(),
                                         .output = y_.data(),
                                         .output_stride = out});
      return;
    case Pass::backward_input:
      ops_.run(model::ops::LinearBackwardInput{.rows = rows,
                                               .in = in,
                                               .out = out,
                                               .output_gradient = y_.data(),
                                               .output_gradient_stride = out,
                                               .weight = weight_.data(),
                                               .x_gradient = x_.data()});
      return;
    case Pass::backward_weight:
      ops_.run(model::ops::LinearBackwardWeight{.rows = rows,
                                                .in = in,
                                                .out = out,
                                                .output_gradient = y_.data(),
                                                .output_gradient_stride = out,
                                                .x = x_.data(),
                                                .weight_gradient = weight_gradient_.data()});
      return;
  }
}

void StepProducts::measure(int repetitions) {
  for (Product& each : products_) {
    if (each.measured_seconds.empty()) run(each);  // builds the primitive, touches the memory
    for (int i = 0; i < repetitions; ++i) each.measured_seconds.push_back(seconds_of([&] { run(each); }));
    // Products must not drift towards numbers that compute at another speed.
    std::fill(x_.span().begin(), x_.span().end(), 0.5F);
  }
}

double StepProducts::flops(bool train) const {
  double sum = 0;
  for (const Product& each : products_) {
    if (!train && each.pass != Pass::forward) continue;
    sum += 2.0 * static_cast<double>(each.rows) * static_cast<double>(each.in) * static_cast<double>(each.out) *
           static_cast<double>(each.times);
  }
  return sum;
}

double StepProducts::seconds(bool train) const {
  double sum = 0;
  for (const Product& each : products_) {
    if (!train && each.pass != Pass::forward) continue;
    sum += median(each.measured_seconds) * static_cast<double>(each.times);
  }
  return sum;
}

}  // namespace chainrule::pipeline::measure
