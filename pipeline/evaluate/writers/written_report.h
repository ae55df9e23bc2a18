#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "io/tokens/token_stream.h"
#include "pipeline/evaluate/report/report_folder.h"
#include "pipeline/evaluate/tally/document_tallies.h"
#include "pipeline/evaluate/writers/formats.h"

namespace chainrule::pipeline::evaluate::writers {

/// An evaluation as these files tell of it. What it refers to outlives it.
struct WrittenReport {
  const report::EvaluationReport& report;
  const io::tokens::TokenStream& text;  ///< what its windows lie over
  const tally::DocumentTallies& tallies;
  std::filesystem::path model, data;
  std::string math;  ///< of products
  std::int64_t micro_batch = 0;
  std::optional<std::int64_t> started;  ///< Unix time in seconds; of parts nobody knows it
  std::int64_t written = 0;             ///< now
};

/// The last component of a path as a file's name on any system: letters, digits, dots, dashes and underscores, at most
/// 100, never empty nor a name that Windows keeps for a device. Others become underscores.
std::string portable_name(const std::filesystem::path& path);

/// The model's, as these files name it: of an average with the run's or checkpoint's before it, for `average` alone
/// would be anybody's.
std::string model_name(const WrittenReport& written);

/// Seconds of "2026-01-31T12:00:00Z"; nothing for what is no such time.
std::optional<std::int64_t> unix_seconds(const std::string& utc);

/// Writes the files of these formats into a folder that is being written, below place ("" or "NAME/"). Throws
/// io::Error.
void write_formats(const Formats& formats, const WrittenReport& written, const report::ReportFolder& folder,
                   const std::string& place);

}  // namespace chainrule::pipeline::evaluate::writers
