#include "tests/support/made_data_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/tokens/dataset_index.h"
#include "io/tokens/shard_writer.h"

namespace chainrule::tests {
namespace {

/// The number of name in table, added where it is new.
template <class Number>
Number number_of(const std::string& name, std::vector<std::string>& table) {
  const auto known = std::find(table.begin(), table.end(), name);
  const auto number = static_cast<Number>(known - table.begin());
  if (known == table.end()) table.push_back(name);
  return number;
}

}  // namespace

void write_data_set(const std::filesystem::path& folder, const MadeDataSet& set) {
  std::filesystem::create_directories(folder);
  io::files::write_file_atomically(folder / "tokenizer.json", set.tokenizer_json);
  io::tokens::DataSetIndex index;
  index.header = {set.tokenizer_fingerprint, set.vocabulary_size, set.end_of_text};
  index.start_token = set.end_of_text;
  index.tokenizer_digest = io::files::file_digest(folder / "tokenizer.json");
  std::vector<std::string> names;
  for (const auto& shard : set.shards) {
    io::tokens::ShardDocuments documents;
    io::tokens::ShardSources sources;
    documents.offsets.push_back(0);
    std::vector<std::uint32_t> tokens;
    for (const auto& document : shard) {
      tokens.insert(tokens.end(), document.tokens.begin(), document.tokens.end());
      tokens.push_back(set.end_of_text);
      const std::uint64_t bytes = document.bytes != 0 ? document.bytes : document.tokens.size();
      documents.offsets.push_back(tokens.size());
      documents.bytes.push_back(bytes);
      documents.words.push_back(document.words);
      documents.text_hash.push_back(1000 * documents.words.size() + bytes);
      documents.domain.push_back(number_of<std::uint16_t>(document.domain, documents.domains));
      sources.source.push_back(number_of<std::uint32_t>(document.file, sources.sources));
      sources.line.push_back(document.line);
      const auto domain = number_of<std::size_t>(document.domain, names);
      if (domain == index.domains.size()) index.domains.push_back({document.domain, 0, 0, 0, 0});
      index.domains[domain].documents += 1;
      index.domains[domain].tokens += document.tokens.size() + 1;
      index.domains[domain].bytes += bytes;
      index.domains[domain].words += document.words;
    }
    const std::string name = fmt::format("shard-{:05}.h5", index.shards.size());
    io::tokens::ShardWriter writer(folder / name, index.header, tokens.size(), set.deflate);
    writer.append(tokens);
    writer.finish(documents, sources);
    index.shards.push_back({name, tokens.size(), shard.size(), std::filesystem::file_size(folder / name),
                            io::files::file_digest(folder / name)});
  }
  io::files::write_file_atomically(folder / "index.json", index.to_json());
}

}  // namespace chainrule::tests
