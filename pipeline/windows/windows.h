#pragma once
#include <cstdint>

#include "io/tokens/token_stream.h"
#include "model/round_up.h"
#include "pipeline/windows/window.h"

namespace chainrule::pipeline::windows {

/// The packed windows of a stream. Window k predicts stream tokens kT ... kT+T-1 from stream tokens kT-1 ... kT+T-2,
/// with the start token before stream token 0. Windows cross documents and shards.
class Windows {
 public:
  /// Windows of T tokens over the first token_limit tokens of stream (all of them where it has fewer), which outlives
  /// it.
  Windows(const io::tokens::TokenStream& stream, std::int64_t sequence_length, std::uint64_t token_limit);
  Windows(const io::tokens::TokenStream& stream, std::int64_t sequence_length);

  std::uint64_t whole_count() const { return tokens_ / length_; }
  /// Whole windows and, if there is one, the shorter last.
  std::uint64_t count() const { return model::divide_up(tokens_, length_); }
  std::uint64_t token_count() const { return tokens_; }
  const io::tokens::TokenStream& stream() const { return stream_; }

  /// Window k, below count(); all its rows are scored.
  Window at(std::uint64_t window) const;

 private:
  const io::tokens::TokenStream& stream_;
  std::uint64_t length_;
  std::uint64_t tokens_;
};

}  // namespace chainrule::pipeline::windows
