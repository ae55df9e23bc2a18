#include "io/tensors/safetensors/write.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/error.h"
#include "io/files/json_text.h"
#include "io/files/verified_output.h"
#include "io/quote.h"
#include "io/tensors/safetensors/header.h"
#include "io/tensors/safetensors/open.h"
#include "io/tensors/write_rows.h"

namespace chainrule::io::tensors::safetensors {
namespace {

using Json = nlohmann::ordered_json;

struct PlannedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t bytes = 0;
};

using Shard = std::vector<PlannedTensor>;

Shard plan_tensors(const TensorSource& source, Encoding encoding) {
  Shard tensors;
  for (const std::string& name : source.names()) {
    PlannedTensor tensor{name, source.shape(name), 0};
    tensor.bytes = tensor_bytes(block_size(encoding), tensor.shape).value();
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

/// Fills one file after the other.
std::vector<Shard> plan_shards(Shard tensors, std::int64_t most_bytes) {
  std::vector<Shard> shards(1);
  std::int64_t bytes = 0;
  for (PlannedTensor& tensor : tensors) {
    if (!shards.back().empty() && tensor.bytes > most_bytes - bytes) {
      shards.emplace_back();
      bytes = 0;
    }
    bytes += tensor.bytes;
    shards.back().push_back(std::move(tensor));
  }
  return shards;
}

std::string header_of(const Shard& shard, Encoding encoding) {
  Json json = {{"__metadata__", {{"format", "pt"}}}};
  std::int64_t begin = 0;
  for (const PlannedTensor& tensor : shard) {
    json[tensor.name] = {{"dtype", encoding == Encoding::f32 ? "F32" : "BF16"},
                         {"shape", tensor.shape},
                         {"data_offsets", {begin, begin + tensor.bytes}}};
    begin += tensor.bytes;
  }
  std::string text = files::json_text(json);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

void write_shard(const std::filesystem::path& path, const Shard& shard, const TensorSource& source, Encoding encoding) {
  const std::string header = header_of(shard, encoding);
  const std::uint64_t bytes = header.size();
  if (bytes > kMostHeaderBytes) {
    throw Error(ErrorKind::cannot_create,
                fmt::format("cannot create {}: its header would have {} bytes, and at most {} "
                            "are read",
                            path_in_quotes(path), bytes, kMostHeaderBytes));
  }
  files::VerifiedOutput output(path);
  output.write({reinterpret_cast<const char*>(&bytes), sizeof bytes});
  output.write(header);
  for (const PlannedTensor& tensor : shard) write_rows(source, tensor.name, encoding, output);
  output.commit();
}

std::string shard_name(std::size_t number, std::size_t shards) {
  return shards == 1 ? kFileName : fmt::format("model-{:05}-of-{:05}.safetensors", number, shards);
}

void write_index(const std::filesystem::path& path, const std::vector<Shard>& shards) {
  std::int64_t total = 0;
  Json map = Json::object();
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (const PlannedTensor& tensor : shards[i]) {
      total += tensor.bytes;
      map[tensor.name] = shard_name(i + 1, shards.size());
    }
  }
  files::VerifiedOutput output(path);
  output.write(files::json_text(Json{{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}}, 2) + "\n");
  output.commit();
}

}  // namespace

void write(const std::filesystem::path& folder, const TensorSource& source, const WriteOptions& options) {
  const std::vector<Shard> shards = plan_shards(plan_tensors(source, options.encoding), options.most_file_bytes);
  for (std::size_t i = 0; i < shards.size(); ++i) {
    write_shard(folder / shard_name(i + 1, shards.size()), shards[i], source, options.encoding);
  }
  if (shards.size() > 1) write_index(folder / kIndexName, shards);
}

}  // namespace chainrule::io::tensors::safetensors
