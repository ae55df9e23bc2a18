#include "io/tokens/token_stream.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/tokens/data_set.h"
#include "io/tokens/data_set_pair.h"
#include "io/tokens/foreign/foreign_stream.h"

namespace chainrule::io::tokens {
namespace {

std::optional<foreign::TokenShards> find_foreign(const std::filesystem::path& path) {
  return files::is_there(path / kIndexFile) ? std::nullopt : foreign::find_token_shards(path);
}

}  // namespace

void require_documents(const TokenStream& stream, std::uint64_t first, std::uint64_t count) {
  if (first <= stream.document_count() && count <= stream.document_count() - first) return;
  throw Error(ErrorKind::bad_data, fmt::format("documents {} to {} are outside the {} of '{}'", first, first + count,
                                               stream.document_count(), stream.path().string()));
}

bool needs_tokenizer(const std::filesystem::path& path) { return find_foreign(path).has_value(); }

std::unique_ptr<TokenStream> open_token_stream(const std::filesystem::path& path, const LoadTokenizer& load_tokenizer) {
  if (auto shards = find_foreign(path)) {
    return std::make_unique<foreign::ForeignStream>(path, std::move(*shards), load_tokenizer());
  }
  return std::make_unique<DataSet>(DataSet::open(path));
}

void verify_shards(const TokenStream& stream, std::size_t part, std::size_t parts) {
  for (std::size_t shard = part; shard < stream.shard_count(); shard += parts) stream.verify_shard(shard);
}

}  // namespace chainrule::io::tokens
