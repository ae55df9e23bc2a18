#include "pipeline/pack/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "io/quote.h"
#include "io/text/find_text.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::pack {
namespace {

/// A domain's path made canonical, as TextFile::identity and TextFile::place are.
struct Place {
  std::string path;
  std::string domain;

  bool holds(const std::string& file) const {
    return file == path || (file.starts_with(path) && (path.ends_with('/') || file[path.size()] == '/'));
  }
  /// By the way it was found, which may be a link, or by where it lies.
  bool holds(const io::text::TextFile& file) const { return holds(file.place) || holds(file.identity); }
};

/// The deepest first, so that the first that holds a file names it.
std::vector<Place> places_of(const std::vector<DomainPath>& domains) {
  std::vector<Place> places;
  for (const auto& domain : domains) {
    std::error_code ignored;  // find_text_files has read the path
    const Place place{std::filesystem::canonical(domain.path, ignored).string(), domain.name};
    for (const auto& known : places) {
      if (known.path == place.path && known.domain != place.domain) {
        throw failure::Error(failure::ExitCode::usage,
                             fmt::format("{} is given two domains, {} and {}", io::path_in_quotes(domain.path),
                                         io::in_quotes(known.domain), io::in_quotes(place.domain)));
      }
    }
    places.push_back(place);
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.path.size() > b.path.size(); });
  return places;
}

}  // namespace

PackInputs find_inputs(const PackOptions& options) {
  std::vector<std::string> paths = options.inputs;
  for (const auto& domain : options.domains) paths.push_back(domain.path);
  PackInputs inputs;
  io::text::FoundTexts found = io::text::find_text_files(paths, {options.text_field, options.format});
  if (!found.left_out.empty()) {
    run::say("pack: " + io::text::report_of(found.left_out, options.list_skipped));
  }
  inputs.files = std::move(found.files);
  const std::vector<Place> places = places_of(options.domains);
  for (const auto& file : inputs.files) {
    const auto place = std::find_if(places.begin(), places.end(), [&](const auto& each) { return each.holds(file); });
    const std::string name = place == places.end() ? "default" : place->domain;
    const auto known = std::find(inputs.domains.begin(), inputs.domains.end(), name);
    inputs.domain.push_back(static_cast<std::uint16_t>(known - inputs.domains.begin()));
    if (known == inputs.domains.end()) inputs.domains.push_back(name);
    if (inputs.domains.size() > std::numeric_limits<std::uint16_t>::max()) {
      throw failure::Error(failure::ExitCode::usage, "more domains than a shard can number (65,535)");
    }
  }
  return inputs;
}

// Paths may hold any bytes, which JSON text may not: they travel as MessagePack.
std::string PackInputs::to_message() const {
  nlohmann::json json{{"domain", domain}, {"domains", domains}, {"files", nlohmann::json::array()}};
  for (const auto& file : files) {
    json["files"].push_back(
        {file.path.string(), file.name, file.bytes, file.format == io::text::TextFormat::json_lines});
  }
  return io::files::json_message(json);
}

PackInputs PackInputs::from_message(const std::string& text) {
  const auto json = io::files::parse_json_message(text);
  PackInputs inputs;
  json.at("domain").get_to(inputs.domain);
  json.at("domains").get_to(inputs.domains);
  for (const auto& file : json.at("files")) {
    inputs.files.push_back({file[0].get<std::string>(),
                            file[1],
                            {},
                            file[2],
                            file[3].get<bool>() ? io::text::TextFormat::json_lines : io::text::TextFormat::plain,
                            {}});
  }
  return inputs;
}

}  // namespace chainrule::pipeline::pack
