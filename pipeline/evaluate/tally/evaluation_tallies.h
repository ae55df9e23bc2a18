#pragma once
#include <filesystem>

#include "pipeline/evaluate/tally/calibration.h"
#include "pipeline/evaluate/tally/document_tallies.h"
#include "pipeline/evaluate/tally/group_tallies.h"
#include "pipeline/evaluate/tally/unigram_counts.h"

namespace chainrule::pipeline::evaluate::tally {

/// All that an evaluation sums up.
struct EvaluationTallies {
  /// folder: where documents' tallies lie that are too many for memory.
  EvaluationTallies(std::size_t domains, const std::filesystem::path& folder)
      : documents(folder),
        unigrams(domains),
        positions([](const ScoredToken& token) { return static_cast<std::uint64_t>(token.context); }),
        lengths([](const ScoredToken& token) { return token.document_tokens; }) {}

  void add(const ScoredToken& token) {
    documents.add(token);
    unigrams.add(token);
    positions.add(token);
    lengths.add(token);
    frequencies.add(token);
    calibration.add(token);
  }

  DocumentTallies documents;
  UnigramCounts unigrams;
  DoublingBands positions;  ///< by the tokens that a token was predicted from
  DoublingBands lengths;    ///< by the tokens of its document
  FrequencyBands frequencies;
  Calibration calibration;
};

}  // namespace chainrule::pipeline::evaluate::tally
