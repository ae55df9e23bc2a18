#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/comm/exact_sum.h"

namespace chainrule::pipeline::evaluate::tally {

/// Nats and tokens scored of a document, text and end-of-text apart. Exact, so parts merge in any order.
struct DocumentScore {
  comm::ExactSum text;
  comm::ExactSum end_of_text;

  void merge(const DocumentScore& other);
  /// Text and end-of-text together.
  comm::ExactSum all() const;
  bool operator==(const DocumentScore&) const = default;
};

/// What a work unit says of one document it scored tokens of.
struct DocumentTally {
  std::uint64_t document = 0;  ///< index in the data set
  DocumentScore score;
};

/// Everything a work unit says; what travels between ranks. Documents ascend.
struct UnitResult {
  std::uint64_t unit = 0;
  std::vector<DocumentTally> documents;
};

/// Every rank's results on rank 0, in no particular order; empty elsewhere. Collective.
std::vector<UnitResult> gather_results(const comm::Communicator& communicator, std::span<const UnitResult> mine);

/// The score of each of `documents` documents. Throws std::logic_error unless results holds each of the units 0 up to
/// `units` exactly once.
std::vector<DocumentScore> merge_results(std::vector<UnitResult> results, std::uint64_t units, std::uint64_t documents);

}  // namespace chainrule::pipeline::evaluate::tally
