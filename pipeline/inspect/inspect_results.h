#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace chainrule::pipeline::inspect {

/// Is this file a part of an evaluation, or the journal of one? By how it begins.
bool is_journal(const std::filesystem::path& file);

/// Of which evaluation it holds results, and of how many units. Every record is verified; a journal (not a part) may be
/// being written: then it also says how many bytes at its end are no whole record. Throws io::Error (bad_data,
/// input_output).
nlohmann::ordered_json inspect_journal(const std::filesystem::path& file);

/// Does this folder hold a report?
bool is_report(const std::filesystem::path& folder);

/// What was evaluated, and its headline. Throws io::Error (bad_data, missing_input, input_output).
nlohmann::ordered_json inspect_report(const std::filesystem::path& folder);

}  // namespace chainrule::pipeline::inspect
