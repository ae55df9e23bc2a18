#pragma once
#include <cstdint>
#include <span>

#include "io/tokens/token_stream.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/tally/partial_result.h"
#include "pipeline/evaluate/unit_scorer.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate {

/// What all work units say, and what it took.
struct CorpusScore {
  tally::PartialResult result;         ///< on rank 0 of all units; elsewhere of this rank's
  std::uint64_t nonfinite_tokens = 0;  ///< on every rank
  std::uint64_t units = 0;
  std::uint64_t window_rows = 0;  ///< rows computed, the context that windows repeat included
  std::uint64_t padding_rows = 0;
  double elapsed_seconds = 0;
};

/// Scores every work unit, each on its rank, with progress on rank 0's stderr, and adds what they say to `empty`.
/// Results do not depend on the number of ranks. A rank's exception leaves the others waiting: the caller ends the job.
/// Collective.
CorpusScore score_corpus(const comm::Communicator& communicator, const windows::WorkUnitOptions& options,
                         std::span<const io::tokens::DocumentRecord> documents, UnitScorer& scorer,
                         tally::PartialResult empty);

}  // namespace chainrule::pipeline::evaluate
