#include "io/tokens/data_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/quote.h"
#include "io/tokens/dataset_index.h"
#include "io/tokens/kept_open.h"
#include "io/tokens/shard_reader.h"

namespace chainrule::io::tokens {

struct DataSet::State {
  std::filesystem::path folder;
  DataSetIndex index;
  std::string fingerprint;
  std::vector<std::string> domains;
  std::vector<std::uint64_t> first_tokens;  ///< [shards + 1] stream position of each shard's first token, then the end
  std::vector<std::uint64_t> first_documents;  ///< the same of documents
  KeptOpen<ShardReader> open;

  std::filesystem::path path(std::size_t shard) const { return folder / index.shards.at(shard).file; }

  /// The shard's reader, checked against the index when it is opened.
  std::shared_ptr<const ShardReader> reader(std::size_t shard) {
    return open.get(shard, [&] { return open_checked(shard); });
  }

  std::shared_ptr<const ShardReader> open_checked(std::size_t shard) const {
    const ShardEntry& entry = index.shards[shard];
    check_size(shard);
    auto reader = std::make_shared<const ShardReader>(path(shard));
    if (reader->header() != index.header || reader->token_count() != entry.tokens ||
        reader->document_count() != entry.documents) {
      refuse(shard, "its tokenizer or its counts are not those of the index");
    }
    return reader;
  }

  void check_size(std::size_t shard) const {
    std::error_code error;
    const std::uint64_t bytes = std::filesystem::file_size(path(shard), error);
    if (error) {
      throw Error(ErrorKind::missing_input,
                  fmt::format("cannot open shard '{}': {}", path(shard).string(), error.message()));
    }
    if (bytes != index.shards[shard].file_bytes) {
      refuse(shard, fmt::format("it has {} bytes, the index says {}", bytes, index.shards[shard].file_bytes));
    }
  }

  /// The set's numbers of a shard's domains.
  std::vector<std::uint16_t> domains_of(std::size_t shard, const std::vector<std::string>& names) const {
    std::vector<std::uint16_t> numbers;
    for (const std::string& name : names) {
      const auto known = std::find(domains.begin(), domains.end(), name);
      if (known == domains.end()) refuse(shard, fmt::format("the index does not know its domain {}", in_quotes(name)));
      numbers.push_back(static_cast<std::uint16_t>(known - domains.begin()));
    }
    return numbers;
  }

  /// Cuts values, which stand for elements [first, first + values.size()) of the stream, where shards begin (starts)
  /// and calls visit(shard, first element in the shard, piece).
  template <class Value, class Visit>
  static void for_each_piece(const std::vector<std::uint64_t>& starts, std::uint64_t first, std::span<Value> values,
                             const Visit& visit) {
    auto shard = static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), first) - starts.begin()) - 1;
    for (; !values.empty(); ++shard) {
      const std::size_t count = std::min<std::uint64_t>(values.size(), starts[shard + 1] - first);
      if (count == 0) continue;  // an empty shard
      visit(shard, first - starts[shard], values.first(count));
      values = values.subspan(count);
      first += count;
    }
  }

  [[noreturn]] void refuse(std::size_t shard, const std::string& what) const {
    throw Error(ErrorKind::bad_data, fmt::format("shard '{}': {}", path(shard).string(), what));
  }
};

DataSet::DataSet(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataSet::DataSet(DataSet&&) noexcept = default;
DataSet& DataSet::operator=(DataSet&&) noexcept = default;
DataSet::~DataSet() = default;

DataSet DataSet::open(const std::filesystem::path& folder) {
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->index = DataSetIndex::load(folder);
  state->fingerprint = state->index.fingerprint();
  for (const auto& domain : state->index.domains) state->domains.push_back(domain.name);
  state->first_tokens.push_back(0);
  state->first_documents.push_back(0);
  for (std::size_t shard = 0; shard < state->index.shards.size(); ++shard) {
    state->first_tokens.push_back(state->first_tokens.back() + state->index.shards[shard].tokens);
    state->first_documents.push_back(state->first_documents.back() + state->index.shards[shard].documents);
    state->reader(shard);
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(folder / "tokenizer.json", error)) {
    throw Error(ErrorKind::missing_input, fmt::format("cannot open '{}'", (folder / "tokenizer.json").string()));
  }
  return DataSet(std::move(state));
}

const std::filesystem::path& DataSet::path() const { return state_->folder; }
std::filesystem::path DataSet::tokenizer_path() const { return state_->folder / "tokenizer.json"; }
std::string DataSet::tokenizer_json() const { return files::read_file(tokenizer_path()); }
std::uint64_t DataSet::token_count() const { return state_->first_tokens.back(); }
std::uint64_t DataSet::document_count() const { return state_->index.document_count(); }
std::uint32_t DataSet::vocabulary_size() const { return state_->index.header.vocabulary_size; }
std::uint32_t DataSet::end_of_text() const { return state_->index.header.end_of_text; }
std::uint32_t DataSet::start_token() const { return state_->index.start_token; }
const std::string& DataSet::tokenizer_fingerprint() const { return state_->index.header.tokenizer_fingerprint; }
const std::string& DataSet::fingerprint() const { return state_->fingerprint; }
const std::vector<std::string>& DataSet::domains() const { return state_->domains; }
std::size_t DataSet::shard_count() const { return state_->index.shards.size(); }

void DataSet::verify_shard(std::size_t shard) const {
  state_->check_size(shard);
  const std::string digest = files::file_digest(state_->path(shard));
  const std::string& stated = state_->index.shards.at(shard).digest;
  if (digest != stated) {
    state_->refuse(shard, fmt::format("its checksum is {}, the index says {}: the file is damaged", digest, stated));
  }
}

void DataSet::read_documents(std::uint64_t first, std::span<DocumentRecord> documents) const {
  require_documents(*this, first, documents.size());
  state_->for_each_piece(state_->first_documents, first, documents, [&](std::size_t shard, auto from, auto piece) {
    const ShardDocuments part = state_->reader(shard)->documents(from, piece.size());
    const std::vector<std::uint16_t> domains = state_->domains_of(shard, part.domains);
    for (std::size_t i = 0; i < piece.size(); ++i) {
      piece[i] = {state_->first_tokens[shard] + part.offsets[i],
                  part.offsets[i + 1] - part.offsets[i],
                  part.bytes[i],
                  part.words[i],
                  domains[part.domain[i]],
                  {}};
      if (!part.text_hash.empty()) piece[i].text_hash = part.text_hash[i];
    }
  });
}

void DataSet::read_sources(std::uint64_t first, std::span<DocumentSource> sources) const {
  require_documents(*this, first, sources.size());
  state_->for_each_piece(state_->first_documents, first, sources, [&](std::size_t shard, auto from, auto piece) {
    const ShardSources part = state_->reader(shard)->sources(from, piece.size());
    for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = {part.sources[part.source[i]], part.line[i]};
  });
}

void DataSet::read(std::uint64_t first, std::span<std::uint32_t> tokens) const {
  if (first > token_count() || tokens.size() > token_count() - first) {
    throw Error(ErrorKind::bad_data, fmt::format("tokens {} to {} are outside the {} of '{}'", first,
                                                 first + tokens.size(), token_count(), state_->folder.string()));
  }
  state_->for_each_piece(state_->first_tokens, first, tokens,
                         [&](std::size_t shard, auto from, auto piece) { state_->reader(shard)->read(from, piece); });
}

}  // namespace chainrule::io::tokens
