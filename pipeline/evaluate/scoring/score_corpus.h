#pragma once
#include <cstdint>
#include <functional>

#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/journal/journal.h"
#include "pipeline/evaluate/scoring/unit_scorer.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate::scoring {

/// Units that are scored here: those whose index is `index` modulo `count`.
struct Part {
  std::uint64_t index = 0;
  std::uint64_t count = 1;
  bool has(std::uint64_t unit) const { return unit % count == index; }
};

/// What was done.
struct ScoringWork {
  std::uint64_t units = 0;        ///< of this part, those found included; some of them where it was stopped
  std::uint64_t found_units = 0;  ///< those that the journal had already
  std::uint64_t window_rows = 0;  ///< rows computed, the context that windows repeat included
  std::uint64_t padding_rows = 0;
  std::uint64_t scored_tokens = 0;  ///< of them
  double elapsed_seconds = 0;       ///< from when the first rank began until all results were kept
  double fastest_rank_seconds = 0;  ///< until the first rank had scored all its units
  double slowest_rank_seconds = 0;  ///< until the last one had
  bool stopped = false;             ///< asked to stop before all units were scored
};

/// Scores every unit of the part that the journal does not have yet, each on one rank, and keeps their results in the
/// journal, which rank 0 has (null elsewhere). Results do not depend on who scores what, nor on how often it was begun
/// anew. asked_to_stop is looked at between units; where any rank is asked, all stop. Progress on rank 0's stderr. A
/// rank's exception leaves the others waiting: the caller ends the job. Collective.
ScoringWork score_corpus(const comm::Communicator& communicator, const windows::WorkUnitOptions& options,
                         const io::tokens::DocumentTable& documents, const Part& part, UnitScorer& scorer,
                         journal::Journal* journal, const std::function<bool()>& asked_to_stop);

}  // namespace chainrule::pipeline::evaluate::scoring
