#pragma once
#include <filesystem>
#include <istream>
#include <memory>
#include <string_view>

namespace chainrule::io::text {

/// The path that means standard input.
inline constexpr std::string_view kStandardInput = "-";

/// Whether bytes are the beginning of what gzip or zstd packed.
bool is_packed(std::string_view begin);

/// A file opened for reading as what is in it: what gzip or zstd packed is unpacked, all members and frames of it.
/// kStandardInput is read once, from where it is. A packed file can be read again from its beginning (seekg(0)), but is
/// unpacked again up to any other place. Reading throws Error: bad_data where what is packed is damaged, cut off or
/// followed by something else; input_output. Throws Error missing_input.
std::unique_ptr<std::istream> open_unpacked(const std::filesystem::path& path);

}  // namespace chainrule::io::text
