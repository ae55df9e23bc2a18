#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/shape/parameters.h"
#include "pipeline/pretrain/exchange/arena_ranges.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Where the token embedding's rows lie in an arena.
class EmbeddingRows {
 public:
  explicit EmbeddingRows(const model::shape::ParameterTable& table);

  /// All of them, to the arena's end.
  model::shape::ParameterRange all() const { return all_; }
  /// Those of these tokens, which may come in any order and more than once; neighbours joined.
  ArenaRanges of(std::span<const std::uint32_t> tokens) const;

 private:
  model::shape::ParameterRange all_;
  std::int64_t vocabulary_size_;
  std::int64_t width_;
};

}  // namespace chainrule::pipeline::pretrain::exchange
