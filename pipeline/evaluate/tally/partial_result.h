#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/tally/document_scores.h"
#include "pipeline/evaluate/tally/unigram_counts.h"

namespace chainrule::pipeline::evaluate::tally {

/// All that some of an evaluation's work units say. As bytes it is what travels between ranks, and what may lie in
/// files until it is merged: equal results are equal bytes, in whatever order they came together.
class PartialResult {
 public:
  /// Nothing yet. subject says which evaluation it is of; results of others are not merged. documents, domains: how
  /// many there are.
  PartialResult(std::string subject, std::uint64_t documents, std::size_t domains);

  /// The unit that the tokens added next belong to; each once.
  void begin_unit(std::uint64_t unit);
  void add(const ScoredToken& token);

  /// Format version 1: magic, version, subject, units, each sink's name and section, and the XXH3-128 of all that.
  std::vector<std::byte> to_bytes() const;
  /// Adds what to_bytes() of another part gave. from names it in messages. Throws io::Error bad_data where the bytes
  /// are damaged, of another format version or subject, or hold a unit that is counted already; in the last three cases
  /// nothing has been added.
  void merge(std::span<const std::byte> bytes, std::string_view from);
  /// Every rank's part, merged, on rank 0; its own elsewhere. Collective.
  void gather(const comm::Communicator& communicator);

  /// Ascending.
  const std::vector<std::uint64_t>& units() const { return units_; }
  /// Throws std::logic_error unless it holds the units 0 up to `units`, naming what is missing.
  void require_units(std::uint64_t units) const;

  const DocumentScores& documents() const { return documents_; }
  const UnigramCounts& unigrams() const { return unigrams_; }

 private:
  std::array<const TokenSink*, 2> sinks() const { return {&documents_, &unigrams_}; }
  std::array<TokenSink*, 2> sinks() { return {&documents_, &unigrams_}; }

  std::string subject_;
  std::vector<std::uint64_t> units_;
  DocumentScores documents_;
  UnigramCounts unigrams_;
};

}  // namespace chainrule::pipeline::evaluate::tally
