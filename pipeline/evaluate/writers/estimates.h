#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "pipeline/evaluate/tally/ratio_of_sums.h"
#include "pipeline/evaluate/writers/written_report.h"

namespace chainrule::pipeline::evaluate::writers {

/// A measure that is a ratio of sums over documents, or the exponential of one, so that it has an error clustered by
/// document.
struct Measure {
  std::string_view name;  ///< as in report.json
  std::string_view title;
  std::string_view kind;  ///< those of a kind are comparable but for their unit
  std::string_view unit;
  std::string_view description;
  bool lower_is_better = true;
  double least = 0;
  double most = std::numeric_limits<double>::infinity();
  std::optional<double> report::EvaluationSummary::*value = nullptr;
  double (*sum)(const tally::TokenTally& tally) = nullptr;  ///< of a document
  double (*over)(const io::tokens::DocumentRecord& document, const tally::TokenTally& tally) = nullptr;
  double factor = 1;         ///< what the ratio is multiplied by
  bool exponential = false;  ///< the value is exp(ratio)
};

std::span<const Measure> all_measures();
const Measure& measure_named(std::string_view name);

/// A measure's value with what is known of its error.
struct Estimate {
  double value = 0;
  std::uint64_t documents = 0;           ///< those that it sums over
  std::optional<double> standard_error;  ///< clustered by document; of an exponential by the delta method
  std::optional<double> low, high;       ///< 95 %; of an exponential symmetrical in the logarithm
};

/// The measures of a group of documents.
class Estimates {
 public:
  explicit Estimates(const report::EvaluationSummary& summary);
  /// A document counts for a measure that has something of it; an empty one has a word, as lm-eval counts.
  void add(const io::tokens::DocumentRecord& document, const tally::TokenTally& tally);
  /// Nothing where the measure is undefined or not finite.
  std::optional<Estimate> of(const Measure& measure) const;

 private:
  const report::EvaluationSummary* summary_;
  std::vector<tally::RatioOfSums> ratios_;  ///< by measure
};

/// Of the whole report, then of each domain. Reads the documents' tallies once.
struct EstimatesOfReport {
  Estimates overall;
  std::vector<Estimates> domains;
};
EstimatesOfReport estimates_of(const WrittenReport& written);

}  // namespace chainrule::pipeline::evaluate::writers
