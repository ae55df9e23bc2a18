// Usage: time_weights MODEL ROWS REPETITIONS. Evaluates ROWS tokens with the weights of another system's model where
// they lie, and with a float32 arena of them, in turn; prints the median tokens/s of both and of their ratios.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <vector>

#include "model/arena.h"
#include "model/decoder/decoder.h"
#include "pipeline/models/external/external_model.h"

namespace chainrule::tests {
namespace {

model::Arena decoded(const model::weights::StoredWeights& stored, const model::shape::ParameterTable& table) {
  model::Arena arena(table.arena_size());
  for (const model::shape::Parameter& parameter : table.parameters()) {
    float* values = arena.span().data() + parameter.offset;
    if (!parameter.in_products && parameter.offset != table.token_embedding().begin) {
      std::copy_n(stored.vector(parameter.offset), parameter.size(), values);
      continue;
    }
    for (const model::weights::StoredMatrix& rows : stored.matrix(parameter.offset)) {
      if (rows.transposed) throw std::runtime_error("a transposed matrix is not read here");
      rows.decode_rows(0, rows.rows, 0, rows.columns, values, rows.columns);
      values += rows.rows * rows.columns;
    }
  }
  return arena;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(const char* path, std::int64_t rows, int repetitions) {
  const auto external = pipeline::models::external::open_external_model(path);
  if (!external) throw std::runtime_error(fmt::format("'{}' is no model of another system", path));
  const auto stored = pipeline::models::external::weights_of(*external);
  const model::Arena arena = decoded(*stored, model::shape::ParameterTable(external->config));
  const auto ops = model::ops::make_fast_ops(model::products::Math::float32);
  model::decoder::Decoder decoder(external->config, {.maximum_rows = rows}, *ops);
  std::vector<std::uint32_t> tokens(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<std::uint32_t>(i * 7919 % static_cast<std::size_t>(external->config.vocabulary_size));
  }
  const std::vector<model::ops::Sequence> sequences = {{0, rows}};
  const model::ops::Batch batch{.inputs = tokens, .targets = tokens, .sequences = sequences};
  std::vector<double> nll(tokens.size());
  const auto speed = [&](const model::weights::Weights& weights) {
    const auto begin = std::chrono::steady_clock::now();
    decoder.score(weights, batch, nll);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(rows) / seconds.count();
  };
  std::vector<double> in_place;
  std::vector<double> copied;
  std::vector<double> ratios;
  for (int i = 0; i < repetitions; ++i) {
    in_place.push_back(speed(*stored));
    copied.push_back(speed(arena.span()));
    ratios.push_back(in_place.back() / copied.back());
  }
  fmt::print("where they lie {:.1f} tokens/s, float32 arena {:.1f}, ratio {:.3f} (from {:.3f} to {:.3f})\n",
             median(in_place), median(copied), median(ratios), std::ranges::min(ratios), std::ranges::max(ratios));
}

}  // namespace
}  // namespace chainrule::tests

int main(int argument_count, char** arguments) {
  try {
    if (argument_count != 4) throw std::runtime_error("usage: time_weights MODEL ROWS REPETITIONS");
    chainrule::tests::measure(arguments[1], std::stoll(arguments[2]), std::stoi(arguments[3]));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
