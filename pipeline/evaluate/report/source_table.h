#pragma once
#include <cstdint>
#include <vector>

#include "io/tokens/token_stream.h"

namespace chainrule::pipeline::evaluate::report {

/// Where documents come from, read a block at a time.
class SourceTable {
 public:
  /// Of the first `size` documents of data, which outlives it.
  SourceTable(const io::tokens::TokenStream& data, std::uint64_t size) : data_(data), size_(size) {}

  /// Of document index, below size; valid until the next call. Throws what reading throws.
  const io::tokens::DocumentSource& operator[](std::uint64_t index);

 private:
  const io::tokens::TokenStream& data_;
  std::uint64_t size_;
  std::uint64_t first_ = 0;
  std::vector<io::tokens::DocumentSource> block_;
};

}  // namespace chainrule::pipeline::evaluate::report
