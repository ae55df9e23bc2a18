#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "io/tokens/token_stream.h"

namespace chainrule::pipeline::windows {

/// The packed windows of a stream. Window k predicts stream tokens kT ... kT+T-1 from stream tokens kT-1 ... kT+T-2,
/// with one virtual end-of-text before stream token 0. Windows cross documents and shards.
class Windows {
 public:
  /// Windows of T tokens over the first token_limit tokens of data (all of them where it has fewer). data outlives it.
  Windows(const io::tokens::TokenStream& data, std::int64_t sequence_length, std::uint64_t token_limit);
  Windows(const io::tokens::TokenStream& data, std::int64_t sequence_length);

  std::uint64_t whole_count() const { return tokens_ / length_; }
  /// Whole windows and, if there is one, the shorter last.
  std::uint64_t count() const { return (tokens_ + length_ - 1) / length_; }
  std::uint64_t token_count() const { return tokens_; }

  /// Reads window k (below count()) into inputs [T] and targets [T]. The rows that a shorter last window lacks get
  /// end-of-text as input and model::kNotScored as target. Throws io::Error.
  void read(std::uint64_t window, std::span<std::uint32_t> inputs, std::span<std::uint32_t> targets) const;

 private:
  const io::tokens::TokenStream& data_;
  std::uint64_t length_;
  std::uint64_t tokens_;
};

}  // namespace chainrule::pipeline::windows
