#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "io/tokens/token_stream.h"

namespace chainrule::io::tokens {

/// The documents of a stream, read a block at a time: for whoever looks at them more or less in order. Memory does not
/// grow with their number. Each thread and each reader has a copy of its own.
class DocumentTable {
 public:
  DocumentTable() = default;
  /// The first `documents` of stream, which outlives it.
  DocumentTable(const TokenStream& stream, std::uint64_t documents) : stream_(&stream), size_(documents) {}
  /// Documents that lie in memory, as they are.
  DocumentTable(std::vector<DocumentRecord> documents)  // NOLINT: wherever a table is asked for
      : size_(documents.size()), block_(std::move(documents)) {}

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Where the last one ends in the stream; 0 for none.
  std::uint64_t token_end() const {
    if (empty()) return 0;
    const DocumentRecord& last = (*this)[size_ - 1];
    return last.first_token + last.tokens;
  }
  /// Document i, below size(); valid until the next call. Throws what reading throws.
  const DocumentRecord& operator[](std::uint64_t i) const {
    if (i - first_ >= block_.size()) read_block(i);
    return block_[i - first_];
  }

 private:
  void read_block(std::uint64_t i) const;

  const TokenStream* stream_ = nullptr;
  std::uint64_t size_ = 0;
  mutable std::uint64_t first_ = 0;  ///< document at the front of block_
  mutable std::vector<DocumentRecord> block_;
};

}  // namespace chainrule::io::tokens
