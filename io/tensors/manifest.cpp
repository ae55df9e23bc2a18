#include "io/tensors/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/files/presence.h"
#include "io/files/versioned_json.h"
#include "io/quote.h"

namespace chainrule::io::tensors {
namespace {
constexpr files::JsonFormat kFormat = {"chainrule-checkpoint", 1};
}  // namespace

std::vector<ManifestEntry> parse_manifest(std::string_view text, const std::filesystem::path& path) {
  try {
    const auto json = files::parse_json(text);
    if (!files::is_format(json, kFormat) || !files::is_version(json, kFormat)) {
      throw Error(ErrorKind::bad_data, fmt::format("{} is not a checkpoint manifest of format version {}",
                                                   path_in_quotes(path), kFormat.version));
    }
    std::vector<ManifestEntry> entries;
    for (const auto& file : json.at("files")) {
      entries.push_back({file.at("name"), files::whole_number<std::uint64_t>(file, "bytes"), file.at("xxh3_128")});
      const std::filesystem::path name = entries.back().name;
      if (name.empty() || name != name.filename() || entries.back().name.size() > NAME_MAX) {
        throw Error(ErrorKind::bad_data, fmt::format("{} names {}, which is no file beside it", path_in_quotes(path),
                                                     in_quotes(name.native())));
      }
    }
    return entries;
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::bad_data, fmt::format("{} is damaged: {}", path_in_quotes(path), error.what()));
  }
}

ManifestEntry describe_file(const std::filesystem::path& path) {
  ManifestEntry entry;
  entry.name = path.filename().string();
  entry.xxh3_128 = files::file_digest(path);
  entry.bytes = std::filesystem::file_size(path);
  return entry;
}

Manifest::Manifest(std::filesystem::path folder, std::vector<ManifestEntry> entries)
    : folder_(std::move(folder)), entries_(std::move(entries)) {}

Manifest Manifest::read(const std::filesystem::path& folder) {
  if (!files::is_there(folder))
    throw Error(ErrorKind::missing_input, fmt::format("{} is not there", path_in_quotes(folder)));
  const std::filesystem::path path = folder / kManifestName;
  const files::Presence presence = files::presence_of(path);
  if (presence == files::Presence::absent) {
    throw Error(ErrorKind::bad_data, fmt::format("{} has no {}: it was never completed, or is damaged",
                                                 path_in_quotes(folder), kManifestName));
  }
  if (presence != files::Presence::file) {
    throw Error(ErrorKind::bad_data, fmt::format("{} is no regular file", path_in_quotes(path)));
  }
  Manifest manifest(folder, parse_manifest(files::read_file(path), path));
  for (const ManifestEntry& entry : manifest.entries_) {
    if (files::presence_of(folder / entry.name) != files::Presence::file) {
      throw Error(ErrorKind::bad_data, fmt::format("{} lacks {}", path_in_quotes(folder), in_quotes(entry.name)));
    }
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(folder / entry.name, error);
    if (error) {
      throw Error(ErrorKind::input_output,
                  fmt::format("cannot look at {}: {}", path_in_quotes(folder / entry.name), error.message()));
    }
    if (bytes != entry.bytes) {
      throw Error(ErrorKind::bad_data, fmt::format("{} has {} bytes, its manifest says {}",
                                                   path_in_quotes(folder / entry.name), bytes, entry.bytes));
    }
  }
  return manifest;
}

void Manifest::write() const {
  nlohmann::ordered_json json = files::begin_json(kFormat);
  json["files"] = nlohmann::ordered_json::array();
  for (const ManifestEntry& entry : entries_) {
    json["files"].push_back({{"name", entry.name}, {"bytes", entry.bytes}, {"xxh3_128", entry.xxh3_128}});
  }
  files::write_file_atomically(folder_ / kManifestName, files::json_text(json, 2) + "\n");
}

void Manifest::verify(const std::string& name) const {
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& each) { return each.name == name; });
  if (entry == entries_.end()) {
    throw Error(ErrorKind::bad_data,
                fmt::format("the manifest of {} does not name {}", path_in_quotes(folder_), in_quotes(name)));
  }
  const std::string digest = files::file_digest(folder_ / name);
  if (digest != entry->xxh3_128) {
    throw Error(ErrorKind::bad_data, fmt::format("{} is damaged: its XXH3-128 is {}, its manifest says {}",
                                                 path_in_quotes(folder_ / name), digest, in_quotes(entry->xxh3_128)));
  }
}

}  // namespace chainrule::io::tensors
