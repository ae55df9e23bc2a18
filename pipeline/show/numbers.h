#pragma once
#include <cstdint>
#include <ctime>
#include <string>

namespace chainrule::pipeline::show {

/// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t number);

/// 1234567 -> "1.2M", 12345 -> "12.3k", 1234 -> "1234", 2.5e9 -> "2.5G".
std::string scaled(double number);

/// UTC, ISO 8601: "2026-01-31T12:00:00Z".
std::string utc_text(std::time_t time);

/// Whether a time below an hour names its hours too.
enum class Hours { where_needed, always };

/// 3723.4 -> "1:02:03"; 123 -> "2:03", with Hours::always "0:02:03".
std::string clock_time(double seconds, Hours hours = Hours::where_needed);

}  // namespace chainrule::pipeline::show
