#pragma once
#include <filesystem>
#include <set>
#include <string>

namespace chainrule::io::text {

/// What a folder is where chainrule wrote it ("a data set", "a checkpoint", "a run", "a report"); empty for others.
/// names: its entries. It is known by what the file that describes it says, not by that file's name alone. Throws Error
/// (missing_input, input_output) where that file cannot be read.
std::string own_folder(const std::filesystem::path& folder, const std::set<std::string>& names);

}  // namespace chainrule::io::text
