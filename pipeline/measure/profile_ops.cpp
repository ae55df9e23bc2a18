#include "model/arena.h"
#include "model/decoder/decoder.h"
#include "model/ops/ops.h"
#include "model/shape/initialise.h"
#include "pipeline/measure/measures.h"
#include "pipeline/measure/process_memory.h"
#include "pipeline/measure/random_batch.h"

namespace chainrule::pipeline::measure {

void profile_ops(const BenchmarkOptions& options, BenchmarkResult& result) {
  const model::shape::Config& config = options.config;
  const std::int64_t rows = options.micro_batch * config.sequence_length;
  const auto ops = model::ops::make_fast_ops(options.math);
  RandomBatch random(config, options.micro_batch);
  const model::shape::ParameterTable table(config);
  result.ops.resize(model::ops::kOpKinds);
  for (std::size_t kind = 0; kind < model::ops::kOpKinds; ++kind) {
    result.ops[kind].name = model::ops::name_of(static_cast<model::ops::OpKind>(kind));
  }
  reset_peak_memory();
  model::Arena parameters(table.arena_size());
  model::shape::initialise(config, table, 1, parameters.span());
  const auto profile_one = [&](auto&& step, double OpTime::*seconds) {
    step();  // builds primitives
    model::ops::OpSeconds taken;
    ops->add_seconds_to(&taken);
    step();
    ops->add_seconds_to(nullptr);
    for (std::size_t kind = 0; kind < model::ops::kOpKinds; ++kind) {
      result.ops[kind].*seconds = taken[static_cast<model::ops::OpKind>(kind)];
    }
  };
  {
    model::decoder::Decoder decoder(config, {.maximum_rows = rows}, *ops);
    profile_one([&] { decoder.score(parameters.span(), random.batch(), random.scores.view()); },
                &OpTime::evaluate_seconds);
    result.evaluate_peak_memory_bytes = peak_memory_bytes();
  }
  model::decoder::Decoder decoder(
      config, {.maximum_rows = rows, .purpose = model::decoder::Purpose::train, .recompute = options.recompute}, *ops);
  model::Arena gradients(table.arena_size());
  profile_one(
      [&] {
        decoder.train(parameters.span(), random.batch(), gradients.span(), model::decoder::Accumulate::no,
                      random.scores.nll);
      },
      &OpTime::train_seconds);
}

}  // namespace chainrule::pipeline::measure
