#include "io/tokens/data_set_pair.h"

#include <fmt/format.h>

#include "io/files/presence.h"

namespace chainrule::io::tokens {
DataSetPair find_pair(const std::filesystem::path& folder) {
  DataSetPair pair;
  const auto is_data_set = [](const std::filesystem::path& each) { return files::is_there(each / kIndexFile); };
  if (is_data_set(folder)) return pair;
  if (is_data_set(folder / kTrainFolder)) pair.train = folder / kTrainFolder;
  if (is_data_set(folder / kHeldOutFolder)) pair.held_out = folder / kHeldOutFolder;
  return pair;
}

std::string name_one_of_pair(const std::filesystem::path& folder) {
  return fmt::format("'{}' holds two data sets: name '{}' or '{}'", folder.string(), (folder / kTrainFolder).string(),
                     (folder / kHeldOutFolder).string());
}

}  // namespace chainrule::io::tokens
