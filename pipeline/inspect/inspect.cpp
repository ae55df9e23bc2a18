#include "pipeline/inspect/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/digest.h"
#include "io/files/json_text.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "io/tensors/manifest.h"
#include "io/tokenizer/tokenizer.h"
#include "io/tokens/data_set.h"
#include "io/tokens/data_set_pair.h"
#include "io/tokens/dataset_index.h"
#include "io/tokens/shard_reader.h"
#include "model/shape/config.h"
#include "pipeline/inspect/inspect_results.h"
#include "pipeline/models/average_name.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/models/config_json.h"
#include "pipeline/models/external/external_model.h"
#include "pipeline/models/loaded_model.h"
#include "pipeline/models/model_description.h"

namespace chainrule::pipeline::inspect {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& what) { throw io::Error(io::ErrorKind::bad_data, what); }

Json inspect_tokenizer(const fs::path& path) {
  const io::tokenizer::Tokenizer tokenizer = io::tokenizer::Tokenizer::load(path);
  return {{"kind", "tokenizer"},
          {"path", path.string()},
          {"vocabulary_size", tokenizer.vocabulary_size()},
          {"end_of_text_id", tokenizer.end_of_text()},
          {"fingerprint", tokenizer.fingerprint()}};
}

double bytes_per_token(std::uint64_t bytes, std::uint64_t tokens) {
  return tokens == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(tokens);
}

Json inspect_shard(const fs::path& path) {
  const io::tokens::ShardReader reader(path);
  reader.verify();
  const io::tokens::ShardDocuments documents = reader.documents(0, reader.document_count());
  std::uint64_t bytes = 0;
  for (const std::uint64_t each : documents.bytes) bytes += each;
  return {{"kind", "token shard"},
          {"path", path.string()},
          {"documents", reader.document_count()},
          {"tokens", reader.token_count()},
          {"bytes_of_text", bytes},
          {"bytes_per_token", bytes_per_token(bytes, reader.token_count())},
          {"vocabulary_size", reader.header().vocabulary_size},
          {"end_of_text_id", reader.header().end_of_text},
          {"tokenizer_fingerprint", reader.header().tokenizer_fingerprint},
          {"domains", documents.domains}};
}

void verify_data_set(const io::tokens::DataSet& set, const io::tokens::DataSetIndex& index) {
  if (const auto digest = io::files::file_digest(set.tokenizer_path()); digest != index.tokenizer_digest) {
    refuse(fmt::format("'{}': its checksum is {}, the index says {}: the file is damaged",
                       set.tokenizer_path().string(), digest, index.tokenizer_digest));
  }
  for (std::size_t shard = 0; shard < set.shard_count(); ++shard) {
    set.verify_shard(shard);
    io::tokens::ShardReader(set.path() / index.shards[shard].file).verify();
  }
}

Json inspect_data_set(const fs::path& path) {
  const io::tokens::DataSet set = io::tokens::DataSet::open(path);
  const io::tokens::DataSetIndex index = io::tokens::DataSetIndex::load(path);
  verify_data_set(set, index);
  Json domains = Json::array();
  for (const auto& each : index.domains) {
    domains.push_back({{"name", each.name},
                       {"documents", each.documents},
                       {"tokens", each.tokens},
                       {"bytes_of_text", each.bytes},
                       {"bytes_per_token", bytes_per_token(each.bytes, each.tokens)}});
  }
  Json shards = Json::array();
  for (const auto& each : index.shards) {
    shards.push_back({{"file", each.file},
                      {"documents", each.documents},
                      {"tokens", each.tokens},
                      {"file_bytes", each.file_bytes},
                      {"xxh3_128", each.digest}});
  }
  return {{"kind", "data set"},
          {"path", path.string()},
          {"fingerprint", set.fingerprint()},
          {"documents", set.document_count()},
          {"tokens", set.token_count()},
          {"bytes_of_text", index.text_bytes()},
          {"bytes_per_token", bytes_per_token(index.text_bytes(), set.token_count())},
          {"vocabulary_size", set.vocabulary_size()},
          {"end_of_text_id", set.end_of_text()},
          {"tokenizer_fingerprint", set.tokenizer_fingerprint()},
          {"domains", domains},
          {"shards", shards}};
}

Json inspect_checkpoint(const fs::path& path) {
  const io::tensors::Manifest manifest = io::tensors::Manifest::read(path);
  Json files = Json::array();
  for (const auto& entry : manifest.entries()) {
    manifest.verify(entry.name);
    files.push_back({{"file", entry.name}, {"file_bytes", entry.bytes}, {"xxh3_128", entry.xxh3_128}});
  }
  const models::ModelDescription description = models::read_model_description(path / "model.json");
  const model::shape::Config& config = description.config;
  Json json = {{"kind", "checkpoint"},
               {"path", path.string()},
               {"step", description.step},
               {"parameters", model::shape::parameter_count(config)}};
  models::write_config(config, json);
  json["tokenizer_fingerprint"] = description.tokenizer_fingerprint;
  json["weights_hash"] = description.weights_hash;
  if (description.average) json["average"] = description.average->rule;
  json["files"] = files;
  return json;
}

/// Of weights that no file holds as they are: reads and averages them.
Json inspect_average(const fs::path& path) {
  const models::LoadedModel model = models::load_model(path);
  Json json = {{"kind", "average of weights"},
               {"path", model.folder.string()},
               {"step", model.step},
               {"parameters", model::shape::parameter_count(model.config)}};
  models::write_config(model.config, json);
  json["tokenizer_fingerprint"] = model.tokenizer_fingerprint;
  json["weights_hash"] = model.weights_hash;
  json["average"] = model.average;
  return json;
}

/// Tensors and bytes of each encoding among those that are parameters.
Json encodings_of(const models::external::ExternalModel& external) {
  Json encodings = Json::array();
  std::map<io::tensors::Encoding, std::pair<std::int64_t, std::size_t>> sums;
  for (const auto& [parameter, pieces] : external.map) {
    for (const models::external::Piece& piece : pieces) {
      const io::tensors::StoredTensor tensor = external.tensors->tensor(piece.tensor);
      auto& [tensors, bytes] = sums[tensor.encoding];
      tensors += 1;
      bytes += tensor.bytes.size();
    }
  }
  for (const auto& [encoding, sum] : sums) {
    encodings.push_back({{"encoding", io::tensors::name_of(encoding)}, {"tensors", sum.first}, {"bytes", sum.second}});
  }
  return encodings;
}

/// Its tokenizer's fingerprint; null where none comes with it or lies beside it.
Json tokenizer_fingerprint_of(const models::external::ExternalModel& external) {
  if (external.load_tokenizer) return external.load_tokenizer().fingerprint();
  const fs::path beside = external.path.parent_path() / "tokenizer.json";
  if (!io::files::is_there(beside)) return nullptr;
  return io::tokenizer::Tokenizer::load(beside).fingerprint();
}

Json inspect_external(const models::external::ExternalModel& external) {
  models::external::weights_of(external);  // throws where a tensor is not there in its shape
  Json json = {{"kind", external.kind},
               {"path", external.path.string()},
               {"parameters", model::shape::parameter_count(external.config)}};
  models::write_config(external.config, json);
  json["tokenizer_fingerprint"] = tokenizer_fingerprint_of(external);
  json["weights_hash"] =
      models::external::hash_of(*external.tensors, model::shape::ParameterTable(external.config), external.map);
  json["encodings"] = encodings_of(external);
  return json;
}

Json inspect_run(const fs::path& path) {
  Json checkpoints = Json::array();
  for (const auto& place : models::list_checkpoints(path)) {
    const Json each = inspect_checkpoint(place.folder);
    checkpoints.push_back({{"step", each["step"]},
                           {"parameters", each["parameters"]},
                           {"weights_hash", each["weights_hash"]},
                           {"folder", place.folder.string()}});
  }
  return {{"kind", "run directory"}, {"path", path.string()}, {"checkpoints", checkpoints}};
}

Json inspect_folder(const fs::path& path) {
  const auto holds = [&](const char* name) { return io::files::is_there(path / name); };
  if (holds(io::tokens::kIndexFile)) return inspect_data_set(path);
  if (const io::tokens::DataSetPair pair = io::tokens::find_pair(path); pair.whole()) {
    return {{"kind", "pair of data sets"},
            {"path", path.string()},
            {io::tokens::kTrainFolder, inspect_data_set(*pair.train)},
            {io::tokens::kHeldOutFolder, inspect_data_set(*pair.held_out)}};
  }
  if (holds(io::tensors::kManifestName)) return inspect_checkpoint(path);
  if (const auto external = models::external::open_external_model(path)) return inspect_external(*external);
  if (holds("checkpoints")) return inspect_run(path);
  if (is_report(path)) return inspect_report(path);
  if (holds("tokenizer.json") || (holds("vocab.json") && holds("merges.txt"))) return inspect_tokenizer(path);
  refuse(fmt::format("'{}' is no data set, checkpoint, run directory, Hugging Face model, report or tokenizer",
                     path.string()));
}

/// What is shown of a value in a line of text.
std::string shown(const Json& value) {
  if (value.is_string()) return io::on_one_line(value.get_ref<const std::string&>());
  if (!value.is_number_float()) return io::files::json_text(value);
  const auto number = value.get<double>();
  return number != 0 && std::abs(number) < 0.001 ? fmt::format("{:g}", number) : fmt::format("{:.3f}", number);
}

/// "name code, documents 3, tokens 40"
std::string row_of(const Json& object) {
  std::string line;
  for (const auto& [name, cell] : object.items()) {
    std::string label = name;
    std::replace(label.begin(), label.end(), '_', ' ');
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", label, shown(cell));
  }
  return line;
}

void append_lines(const Json& object, const std::string& margin, std::string& text) {
  for (const auto& [key, value] : object.items()) {
    std::string label = key;
    std::replace(label.begin(), label.end(), '_', ' ');
    if (value.is_object()) {
      text += fmt::format("{}{}:\n", margin, label);
      append_lines(value, margin + "  ", text);
    } else if (value.is_array()) {
      text += fmt::format("{}{}:\n", margin, label);
      for (const Json& row : value) {
        text += fmt::format("{}  {}\n", margin, row.is_object() ? row_of(row) : shown(row));
      }
    } else {
      text += fmt::format("{}{}: {}\n", margin, label, shown(value));
    }
  }
}

}  // namespace

Json inspect(const fs::path& path) {
  if (models::parse_average_name(path)) return inspect_average(path);
  const io::files::Presence presence = io::files::presence_of(path);
  if (presence == io::files::Presence::absent) {
    throw io::Error(io::ErrorKind::missing_input, fmt::format("'{}' is not there", path.string()));
  }
  if (presence == io::files::Presence::folder) return inspect_folder(path);
  if (is_journal(path)) return inspect_journal(path);
  if (path.extension() == ".h5") return inspect_shard(path);
  if (path.filename() == "index.json" || path.filename() == io::tensors::kManifestName) {
    return inspect_folder(path.has_parent_path() ? path.parent_path() : ".");
  }
  if (path.extension() == ".json") return inspect_tokenizer(path);
  if (const auto external = models::external::open_external_model(path)) return inspect_external(*external);
  refuse(fmt::format("'{}' is no token shard (.h5), tokenizer.json, GGUF file, llm.c model or part of an evaluation",
                     path.string()));
}

std::string as_text(const Json& description) {
  std::string text;
  append_lines(description, "", text);
  return text;
}

}  // namespace chainrule::pipeline::inspect
