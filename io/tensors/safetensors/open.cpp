#include "io/tensors/safetensors/open.h"

#include <fmt/format.h>

#include <set>
#include <string_view>
#include <utility>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "io/tensors/safetensors/header.h"
#include "io/tensors/safetensors/index.h"

namespace chainrule::io::tensors::safetensors {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostIndexBytes = kMostHeaderBytes;

MappedTensors open_file(const fs::path& path) {
  std::vector<files::MappedFile> files;
  files.emplace_back(path);
  TensorTable tensors = parse_file(files.front().bytes(), path_in_quotes(path));
  return {path, std::move(files), std::move(tensors)};
}

WeightMap read_index(const fs::path& path) {
  const files::MappedFile file(path);
  if (file.bytes().size() > kMostIndexBytes) {
    throw Error(ErrorKind::bad_data, fmt::format("{} has {} bytes; of an index at most {} are read",
                                                 path_in_quotes(path), file.bytes().size(), kMostIndexBytes));
  }
  return parse_index({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path_in_quotes(path));
}

/// A shard's tensors, all of which the index must place there.
void add_shard(const fs::path& shard, const WeightMap& index, std::vector<files::MappedFile>& files,
               TensorTable& tensors) {
  files.emplace_back(shard);
  TensorTable found = parse_file(files.back().bytes(), path_in_quotes(shard));
  for (const auto& [name, tensor] : found) {
    const auto place = index.find(name);
    if (place != index.end() && place->second == shard.filename()) continue;
    throw Error(ErrorKind::bad_data,
                fmt::format("{} holds tensor {}, which the index {}", path_in_quotes(shard), in_quotes(name),
                            place == index.end() ? "does not name" : "places in " + in_quotes(place->second)));
  }
  tensors.merge(found);
}

MappedTensors open_shards(const fs::path& index_path) {
  const WeightMap index = read_index(index_path);
  const fs::path folder = index_path.parent_path();
  std::set<std::string> shards;
  for (const auto& [name, file] : index) shards.insert(file);
  std::vector<files::MappedFile> files;
  TensorTable tensors;
  for (const std::string& shard : shards) add_shard(folder / shard, index, files, tensors);
  for (const auto& [name, file] : index) {
    if (tensors.contains(name)) continue;
    throw Error(ErrorKind::bad_data, fmt::format("{} places tensor {} in {}, which does not hold it",
                                                 path_in_quotes(index_path), in_quotes(name), in_quotes(file)));
  }
  return {folder, std::move(files), std::move(tensors)};
}

}  // namespace

MappedTensors open(const fs::path& path) {
  constexpr std::string_view kIndexEnding = ".index.json";
  if (files::presence_of(path) != files::Presence::folder) {
    return path.native().ends_with(kIndexEnding) ? open_shards(path) : open_file(path);
  }
  if (files::is_there(path / kFileName)) return open_file(path / kFileName);
  if (files::is_there(path / kIndexName)) return open_shards(path / kIndexName);
  throw Error(ErrorKind::missing_input,
              fmt::format("{} holds neither {} nor {}", path_in_quotes(path), kFileName, kIndexName));
}

}  // namespace chainrule::io::tensors::safetensors
