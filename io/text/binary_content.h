#pragma once
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace chainrule::io::text {

/// What binary_content() calls what these packed.
inline constexpr std::string_view kGzipName = "gzip";
inline constexpr std::string_view kZstdName = "zstd";

/// What a file holds that is no text, in words ("gzip", "an HDF5 file", "UTF-16 text"); empty where it may be text. It
/// is known by its first bytes, whatever its name; by the ending of its name (in any case) where that says compressed
/// or packed; else by control characters: more than one, and more than 1 in 50, of its first or last 8 KiB. A stray
/// one, and bytes that are no UTF-8, are text. Throws Error (missing_input, input_output) naming the file.
std::string binary_content(const std::filesystem::path& path);

/// The same of the first bytes of something that has no name.
std::string binary_bytes(std::string_view begin);

/// The file opened for reading. Throws Error missing_input naming it.
std::ifstream open_file(const std::filesystem::path& path);

/// Whether name ends in ending (lower case), in any case.
bool has_ending(const std::string& name, std::string_view ending);

}  // namespace chainrule::io::text
