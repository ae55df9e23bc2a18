#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "io/tokens/token_stream.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/tally/tally.h"
#include "pipeline/evaluate/unit_scorer.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate {

/// The scores of documents, and what it took.
struct CorpusScore {
  std::vector<tally::DocumentScore> documents;  ///< on rank 0, one each; empty elsewhere
  std::uint64_t nonfinite_tokens = 0;           ///< on every rank
  std::uint64_t units = 0;
  std::uint64_t window_rows = 0;  ///< rows computed, the context that windows repeat included
  std::uint64_t padding_rows = 0;
  double elapsed_seconds = 0;
};

/// Scores every work unit, each on its rank, with progress on rank 0's stderr. Afterwards scorer.unigram_counts() on
/// rank 0 are those of all ranks. Results do not depend on the number of ranks. A rank's exception leaves the others
/// waiting: the caller ends the job. Collective.
CorpusScore score_corpus(const comm::Communicator& communicator, const windows::WorkUnitOptions& options,
                         std::span<const io::tokens::DocumentRecord> documents, UnitScorer& scorer);

}  // namespace chainrule::pipeline::evaluate
