#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/run/holder.h"

namespace chainrule::pipeline::run {

/// A hold file as it is seen. It is opened anew for each look, for then a network file system asks its server.
struct HoldLook {
  std::optional<Holder> holder;  ///< nothing where it does not say
  double refreshed = 0;          ///< seconds since 1970 by the clock that the file system gave it
};

/// Nothing where there is none. Throws io::Error: input_output where it cannot be seen, missing_input where it is no
/// regular file.
std::optional<HoldLook> look_at_hold(const std::filesystem::path& file);

/// Sets its time to now; false where it is not there, or is another's than that of the id. Throws io::Error
/// input_output.
bool refresh_hold(const std::filesystem::path& file, const std::string& id);

/// When an open file was last changed, in seconds since 1970; 0 where that cannot be seen.
double time_of_hold(int descriptor);

}  // namespace chainrule::pipeline::run
