#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/tokenizer/byte_pair.h"
#include "io/tokenizer/definition.h"
#include "io/tokenizer/splitter.h"

namespace chainrule::io::tokenizer {

/// Text without added tokens to ids: pieces by the splitter, each looked up in a cache or merged. May be used from
/// several threads; what a thread works with (buffers, the cache) is kept for the next call.
class Encoder {
 public:
  /// definition must outlive the encoder.
  explicit Encoder(const TokenizerDefinition& definition);
  ~Encoder();

  /// Appends the ids of text.
  void encode(std::string_view text, std::vector<TokenId>& ids) const;

  /// As Tokenizer::settled_prefix, added tokens left aside.
  std::size_t settled_prefix(std::string_view text) const;

 private:
  struct Workspace;
  class Lease;
  void encode_piece(std::string_view piece, Workspace& workspace, std::vector<TokenId>& ids) const;

  const TokenizerDefinition& definition_;
  Splitter splitter_;
  MergeTable merges_;
  std::unordered_map<std::string_view, TokenId> whole_tokens_;  // where merges are ignored for them
  mutable std::mutex mutex_;                                    // guards idle_
  mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace chainrule::io::tokenizer
