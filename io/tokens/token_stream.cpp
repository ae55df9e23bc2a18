#include "io/tokens/token_stream.h"

#include "io/tokens/data_set.h"

namespace chainrule::io::tokens {

std::unique_ptr<TokenStream> open_token_stream(const std::filesystem::path& path) {
  return std::make_unique<DataSet>(DataSet::open(path));
}

void verify_shards(const TokenStream& stream, std::size_t part, std::size_t parts) {
  for (std::size_t shard = part; shard < stream.shard_count(); shard += parts) stream.verify_shard(shard);
}

}  // namespace chainrule::io::tokens
