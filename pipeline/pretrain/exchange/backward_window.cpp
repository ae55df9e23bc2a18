#include "pipeline/pretrain/exchange/backward_window.h"

#include <algorithm>

#include "pipeline/pretrain/exchange/gradient_reduction.h"

namespace chainrule::pipeline::pretrain::exchange {

BackwardWindow backward_window(const model::shape::ParameterTable& table, const Ownership& ownership) {
  const auto elements = [](model::shape::ParameterRange range) { return range.end - range.begin; };
  std::int64_t bucket = 0;
  for (std::int64_t each = 0; each < ownership.bucket_count(); ++each) {
    bucket = std::max(bucket, elements(ownership.bucket(each)));
  }
  const auto buckets_of = [&](model::shape::ParameterRange range) {
    return range.begin == range.end ? 0 : ownership.bucket_of(range.end - 1) - ownership.bucket_of(range.begin) + 1;
  };
  model::shape::ParameterRange layer;
  for (std::int64_t each = 0; each < table.description().layers; ++each) {
    if (elements(table.layer(each)) > elements(layer)) layer = table.layer(each);
  }
  // An output layer of its own is there as a whole before any of it travels, as the embedding is in any case.
  const bool tied = table.head().begin == table.token_embedding().begin;
  const std::int64_t head = tied ? 0 : buckets_of(table.head());
  const std::int64_t ahead = head + buckets_of(layer) + GradientReduction::kInFlight;
  // Then a layer is computed, and its last bucket may wait for the layer behind.
  const std::int64_t most = elements(table.token_embedding()) + (ahead + 1) * bucket + elements(layer);
  return {ahead, std::min(most, table.arena_size())};
}

}  // namespace chainrule::pipeline::pretrain::exchange
