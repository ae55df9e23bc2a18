#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/evaluate/report/evaluation_report.h"
#include "pipeline/evaluate/tally/ratio_of_sums.h"

namespace chainrule::pipeline::evaluate::compare {

/// How far a model's text nats (end-of-text left out) are from another's on the same documents; below 0: better.
struct PairedDifference {
  tally::RatioOfSums bits_per_byte;
  tally::RatioOfSums nats_per_token;  ///< only where both have the same tokens
  std::uint64_t better = 0;           ///< documents
  std::uint64_t worse = 0;
  std::uint64_t same = 0;
};

/// A document that moved.
struct MovedDocument {
  std::uint64_t index = 0;
  std::string domain, source, line;
  double nats = 0;           ///< of the other model less the first's
  double bits_per_byte = 0;  ///< the same
};

/// One report against the first.
struct Comparison {
  std::filesystem::path path;
  report::EvaluationReport report;
  bool same_tokens = true;  ///< as the first, so that nats a token mean the same
  PairedDifference overall;
  std::vector<std::pair<std::string, PairedDifference>> domains;  ///< in the order in which documents name them
  std::vector<MovedDocument> improved, worsened;                  ///< those that moved most, by nats
};

/// Two or more reports over the same texts.
struct Comparisons {
  std::filesystem::path path;
  report::EvaluationReport report;
  std::vector<Comparison> others;
  /// Over all of them, as if they were one model trained several times: the mean of their bits per byte; the standard
  /// error that other documents would give it (clustered, of the models' mean); and the one that training again would
  /// give it: the models' variance around their mean, less what documents that models differ on add to it, over their
  /// number (two-way random effects). The last needs two models and is empty otherwise.
  std::optional<double> mean_bits_per_byte, corpus_error, training_error;
};

/// Reads report.json and documents.csv of two or more report folders. Throws io::Error: missing_input; bad_data for
/// files that no evaluation wrote, for documents without a finite result, and for reports over different texts or whose
/// texts cannot be told, saying where they differ.
Comparisons compare_reports(const std::vector<std::filesystem::path>& folders, std::size_t most_moved = 10);

nlohmann::ordered_json to_json(const Comparisons& comparisons);
std::string as_text(const Comparisons& comparisons);

}  // namespace chainrule::pipeline::evaluate::compare
