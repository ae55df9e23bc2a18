#pragma once
#include <cstdint>
#include <string>

namespace chainrule::pipeline::show {

/// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t number);

/// Whether a time below an hour names its hours too.
enum class Hours { where_needed, always };

/// 3723.4 -> "1:02:03"; 123 -> "2:03", with Hours::always "0:02:03".
std::string clock_time(double seconds, Hours hours = Hours::where_needed);

}  // namespace chainrule::pipeline::show
