#include "io/text/own_folder.h"

#include <array>
#include <string_view>

#include "io/text/binary_content.h"
#include "io/text/json_content.h"

namespace chainrule::io::text {
namespace {

struct Description {
  std::string_view file;
  std::string_view what;
};

constexpr std::array kDescriptions = {
    Description{"index.json", "a data set"}, Description{"manifest.json", "a checkpoint"},
    Description{"report.json", "a report"}, Description{"protocols.json", "a report"}};

/// The first line of a run's options names the command that they were given.
bool is_run(const std::filesystem::path& options) {
  std::string line(128, '\0');
  std::ifstream stream = open_file(options);
  stream.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(stream.gcount()));
  return line.substr(0, line.find('\n')).find("chainrule pretrain") != std::string::npos;
}

}  // namespace

std::string own_folder(const std::filesystem::path& folder, const std::set<std::string>& names) {
  std::error_code ignored;
  const auto has_file = [&](std::string_view name) {
    return names.contains(std::string(name)) && std::filesystem::is_regular_file(folder / name, ignored);
  };
  for (const Description& each : kDescriptions) {
    if (has_file(each.file) && format_by_content(folder / each.file, "").chainrule) return std::string(each.what);
  }
  return has_file("config.cfg") && is_run(folder / "config.cfg") ? "a run" : "";
}

}  // namespace chainrule::io::text
