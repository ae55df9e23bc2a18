#include "io/tokens/dataset_index.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/files/versioned_json.h"
#include "io/quote.h"
#include "io/tokens/data_set_pair.h"

namespace chainrule::io::tokens {
namespace {

using Json = nlohmann::ordered_json;

constexpr files::JsonFormat kFormat = {kDataSetFormat, kFormatVersion};

/// Everything but the fingerprint.
Json content(const DataSetIndex& index) {
  Json domains = Json::array();
  for (const auto& domain : index.domains) {
    domains.push_back({{"name", domain.name},
                       {"documents", domain.documents},
                       {"tokens", domain.tokens},
                       {"bytes", domain.bytes},
                       {"words", domain.words}});
  }
  Json shards = Json::array();
  for (const auto& shard : index.shards) {
    shards.push_back({{"file", shard.file},
                      {"tokens", shard.tokens},
                      {"documents", shard.documents},
                      {"file_bytes", shard.file_bytes},
                      {"xxh3_128", shard.digest}});
  }
  Json json = files::begin_json(kFormat);
  json["tokenizer_fingerprint"] = index.header.tokenizer_fingerprint;
  json["tokenizer_xxh3_128"] = index.tokenizer_digest;
  json["vocabulary_size"] = index.header.vocabulary_size;
  json["end_of_text_id"] = index.header.end_of_text;
  if (index.start_token != index.header.end_of_text) json["start_token_id"] = index.start_token;
  json["token_count"] = index.token_count();
  json["document_count"] = index.document_count();
  json["domains"] = std::move(domains);
  json["shards"] = std::move(shards);
  return json;
}

Json whole(const DataSetIndex& index) {
  Json json = content(index);
  json["fingerprint"] = index.fingerprint();
  return json;
}

std::string dump(const Json& json) { return files::json_text(json, 2) + "\n"; }

DataSetIndex index_of(const Json& json) {
  DataSetIndex index;
  if (!files::is_format(json, kFormat)) throw Error(ErrorKind::bad_data, "is not the index of a data set");
  if (const auto version = files::whole_number<std::uint64_t>(json, "format_version"); version != kFormatVersion) {
    throw Error(ErrorKind::bad_data,
                fmt::format("has format version {}; this program reads {}", version, kFormatVersion));
  }
  json.at("tokenizer_fingerprint").get_to(index.header.tokenizer_fingerprint);
  json.at("tokenizer_xxh3_128").get_to(index.tokenizer_digest);
  files::read_value(json.at("vocabulary_size"), index.header.vocabulary_size);
  files::read_value(json.at("end_of_text_id"), index.header.end_of_text);
  index.start_token = index.header.end_of_text;
  if (json.contains("start_token_id")) files::read_value(json.at("start_token_id"), index.start_token);
  if (index.start_token >= index.header.vocabulary_size) {
    throw Error(ErrorKind::bad_data, "states a start token outside its vocabulary");
  }
  for (const Json& domain : json.at("domains")) {
    const auto count = [&](const char* field) { return files::whole_number<std::uint64_t>(domain, field); };
    index.domains.push_back({domain.at("name"), count("documents"), count("tokens"), count("bytes"), count("words")});
  }
  for (const Json& shard : json.at("shards")) {
    const auto count = [&](const char* field) { return files::whole_number<std::uint64_t>(shard, field); };
    index.shards.push_back(
        {shard.at("file"), count("tokens"), count("documents"), count("file_bytes"), shard.at("xxh3_128")});
    const std::string& file = index.shards.back().file;
    if (file.empty() || file.front() == '.' || file.find('/') != std::string::npos) {
      throw Error(ErrorKind::bad_data, fmt::format("names {}, which is no file of this folder", in_quotes(file)));
    }
  }
  if (json != whole(index)) {  // the fingerprint, the sums, and nothing that is not ours
    throw Error(ErrorKind::bad_data, "does not agree with its own fingerprint: it was altered or damaged");
  }
  return index;
}

}  // namespace

std::uint64_t DataSetIndex::token_count() const {
  std::uint64_t sum = 0;
  for (const auto& shard : shards) sum += shard.tokens;
  return sum;
}

std::uint64_t DataSetIndex::document_count() const {
  std::uint64_t sum = 0;
  for (const auto& shard : shards) sum += shard.documents;
  return sum;
}

std::uint64_t DataSetIndex::text_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& domain : domains) sum += domain.bytes;
  return sum;
}

std::string DataSetIndex::fingerprint() const { return files::text_digest(dump(content(*this))); }

std::string DataSetIndex::to_json() const { return dump(whole(*this)); }

DataSetIndex DataSetIndex::load(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kIndexFile;
  if (find_pair(folder).train) throw Error(ErrorKind::missing_input, name_one_of_pair(folder));
  return parse(files::read_file(path), path);
}

DataSetIndex DataSetIndex::parse(std::string_view text, const std::filesystem::path& path) {
  try {
    return index_of(files::parse_ordered_json(text));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{} is not the index of a data set: {}", path_in_quotes(path), error.what()));
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{} {}", path_in_quotes(path), error.what()));
  }
}

}  // namespace chainrule::io::tokens
