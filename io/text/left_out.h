#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::io::text {

/// Something below a folder that holds no text of the corpus.
struct LeftOut {
  std::string name;      ///< as TextFile::name
  std::string_view why;  ///< one of kWhy..., with which the same reasons are counted
  std::string what;      ///< more of it, in words ("gzip"); may be empty
};

inline constexpr std::string_view kWhyHidden = "hidden";
inline constexpr std::string_view kWhyBinary = "compressed or binary";
inline constexpr std::string_view kWhyOwn = "of chainrule's own";
inline constexpr std::string_view kWhyUnfinished = "unfinished output";
inline constexpr std::string_view kWhyCache = "inner folder of a cache";
inline constexpr std::string_view kWhyLost = "link that leads nowhere";
inline constexpr std::string_view kWhyCircle = "link in a circle";
inline constexpr std::string_view kWhyNoTokens = "no token file by name";
inline constexpr std::string_view kWhyNeither = "neither file nor folder";

/// What a command says of it: "6 left out below the inputs (4 hidden, 2 compressed or binary); --list-skipped names
/// them", or with a line for each, "  'corpus/.git': hidden". Empty where nothing was.
std::string report_of(const std::vector<LeftOut>& left_out, bool list);

}  // namespace chainrule::io::text
