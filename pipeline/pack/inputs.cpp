#include "pipeline/pack/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "io/text/find_text.h"
#include "io/text/unpacking.h"
#include "io/tokens/foreign/token_shards.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::pack {
namespace {

namespace foreign = io::tokens::foreign;

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
    const bool is_stream = domain.path == io::text::kStandardInput;
    const Place place{is_stream ? domain.path : std::filesystem::canonical(domain.path, ignored).string(), domain.name};
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

/// The files that a path stands for: token files may be named by what their names begin with, or by their index.
std::vector<std::string> files_named(const std::string& path) {
  if (path == io::text::kStandardInput || io::files::presence_of(path) == io::files::Presence::folder) return {path};
  const auto shards = foreign::find_token_shards(path);
  if (!shards) return {path};
  std::vector<std::string> files;
  for (const auto& each : shards->files) files.push_back(each.string());
  return files;
}

io::text::TokenPart part_by_content(const std::filesystem::path& path) {
  if (foreign::is_megatron_index(path)) return io::text::TokenPart::index;
  const bool is_data = foreign::layout_of(path) && path.extension() != ".idx";
  return is_data ? io::text::TokenPart::tokens : io::text::TokenPart::none;
}

io::text::TokenPart part_by_name(const std::filesystem::path& path) {
  return path.extension() == ".bin" ? io::text::TokenPart::tokens : io::text::TokenPart::unlike;
}

/// The options with each path as files_named() says.
PackOptions with_files_named(const PackOptions& options) {
  PackOptions named = options;
  if (options.format != io::text::FormatChoice::by_content) return named;
  named.inputs.clear();
  named.domains.clear();
  for (const auto& input : options.inputs) {
    for (auto& file : files_named(input)) named.inputs.push_back(std::move(file));
  }
  for (const auto& domain : options.domains) {
    for (auto& file : files_named(domain.path)) named.domains.push_back({domain.name, std::move(file)});
  }
  return named;
}

io::text::FindOptions find_options(const PackOptions& options) {
  io::text::FindOptions find{options.fields.text, options.format, {}};
  if (options.format == io::text::FormatChoice::by_content) find.token_part = part_by_content;
  if (options.format == io::text::FormatChoice::nanogpt) find.token_part = part_by_name;
  return find;
}

foreign::Layout layout_of(const PackOptions& options, const io::text::TextFile& file) {
  const bool is_known =
      options.format != io::text::FormatChoice::nanogpt && file.format == io::text::TextFormat::tokens;
  return is_known ? foreign::layout_of(file.path).value_or(foreign::Layout::llmc) : foreign::Layout::nanogpt;
}

}  // namespace

PackInputs find_inputs(const PackOptions& given) {
  const PackOptions options = with_files_named(given);
  std::vector<std::string> paths = options.inputs;
  for (const auto& domain : options.domains) paths.push_back(domain.path);
  PackInputs inputs;
  io::text::FoundTexts found = io::text::find_text_files(paths, find_options(options));
  if (!found.left_out.empty()) {
    run::say("pack: " + io::text::report_of(found.left_out, options.list_skipped));
  }
  inputs.files = std::move(found.files);
  const std::vector<Place> places = places_of(options.domains);
  for (const auto& file : inputs.files) {
    inputs.layout.push_back(layout_of(options, file));
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

std::pair<std::size_t, std::size_t> PackInputs::run_of(std::size_t file) const {
  const auto joins = [&](std::size_t before) {
    return files[before].format == io::text::TextFormat::tokens && layout[before] == foreign::Layout::llmc &&
           files[before + 1].format == io::text::TextFormat::tokens && layout[before + 1] == foreign::Layout::llmc &&
           domain[before] == domain[before + 1] &&
           files[before].path.parent_path() == files[before + 1].path.parent_path();
  };
  std::size_t first = file;
  std::size_t end = file + 1;
  while (first > 0 && joins(first - 1)) --first;
  while (end < files.size() && joins(end - 1)) ++end;
  return {first, end};
}

// Paths may hold any bytes, which JSON text may not: they travel as MessagePack.
std::string PackInputs::to_message() const {
  nlohmann::json json{{"domain", domain}, {"domains", domains}, {"layout", layout}, {"files", nlohmann::json::array()}};
  for (const auto& file : files) {
    json["files"].push_back({file.path.string(), file.name, file.bytes, file.format, file.streamed});
  }
  return io::files::json_message(json);
}

PackInputs PackInputs::from_message(const std::string& text) {
  const auto json = io::files::parse_json_message(text);
  PackInputs inputs;
  json.at("domain").get_to(inputs.domain);
  json.at("domains").get_to(inputs.domains);
  json.at("layout").get_to(inputs.layout);
  for (const auto& file : json.at("files")) {
    inputs.files.push_back(
        {file[0].get<std::string>(), file[1], {}, file[2], file[3].get<io::text::TextFormat>(), {}, file[4]});
  }
  return inputs;
}

}  // namespace chainrule::pipeline::pack
