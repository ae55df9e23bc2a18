#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/decoder/decoder.h"
#include "model/ops/batch.h"
#include "pipeline/evaluate/requests/request_tokens.h"

namespace chainrule::pipeline::evaluate::requests {

/// A token whose probability a window asks of a row.
struct Ask {
  std::int64_t row = 0;
  TokenId target = 0;
  std::size_t window = 0;
};

/// Windows as a batch in which what several of them begin with is computed once: a window's rows are those that no
/// window before it has, and continue theirs.
struct SharedBatch {
  std::vector<TokenId> inputs;   ///< [rows]
  std::vector<TokenId> targets;  ///< [rows] the first token that is asked of a row
  std::vector<model::ops::Sequence> sequences;
  std::vector<model::decoder::FurtherTarget> further;  ///< the others, each once
  std::vector<Ask> asks;                               ///< ascending by row, then by target

  model::ops::Batch batch() const { return {inputs, targets, sequences}; }
};

struct SharingOptions {
  std::int64_t rows = 0;   ///< of a batch at the most; no window has more
  bool by_length = false;  ///< what a row says depends on its sequence's length: windows of other lengths share nothing
};

/// Visits the batches that windows make, one at a time; they depend on windows and options alone.
void for_each_shared_batch(std::span<const ScoredTokens> windows, const SharingOptions& options,
                           const std::function<void(const SharedBatch&)>& visit);

}  // namespace chainrule::pipeline::evaluate::requests
