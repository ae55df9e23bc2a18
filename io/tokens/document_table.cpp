#include "io/tokens/document_table.h"

#include <algorithm>
#include <utility>

#include "io/tokens/format.h"

namespace chainrule::io::tokens {

void DocumentTable::read_block(std::uint64_t i) const {
  // Whole chunks of a shard's datasets (nearly: shards begin anywhere), so that each is read about once.
  const std::uint64_t first = i - i % kChunkElements;
  std::vector<DocumentRecord> block(std::min(kChunkElements, size_ - first));
  stream_->read_documents(first, block);
  first_ = first;
  block_ = std::move(block);
}

}  // namespace chainrule::io::tokens
