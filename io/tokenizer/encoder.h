#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/tokenizer/alphabet.h"
#include "io/tokenizer/byte_pair.h"
#include "io/tokenizer/definition.h"
#include "io/tokenizer/pre_tokenizer.h"

namespace chainrule::io::tokenizer {

/// Normalized text without added tokens to ids: pieces by the pre-tokenizer, each looked up in a cache or merged. May
/// be used from several threads; what a thread works with (buffers, the cache) is kept for the next call.
class Encoder {
 public:
  /// definition must outlive the encoder.
  explicit Encoder(const TokenizerDefinition& definition);
  ~Encoder();

  /// Appends the ids of text. at_start: text is the beginning of what was to be encoded.
  void encode(std::string_view text, bool at_start, std::vector<TokenId>& ids) const;

  /// As Tokenizer::settled_prefix, added tokens and normalizing left aside.
  std::size_t settled_prefix(std::string_view text) const;

 private:
  struct Workspace;
  class Lease;
  void encode_piece(std::string_view piece, Workspace& workspace, std::vector<TokenId>& ids) const;
  void encode_part(std::string_view part, Workspace& workspace, std::vector<TokenId>& ids) const;
  void keep_whole_tokens();

  const TokenizerDefinition& definition_;
  PreTokenizer pre_tokenizer_;
  Alphabet alphabet_;
  MergeTable merges_;
  std::unordered_map<std::string, TokenId> whole_tokens_;  // where merges are ignored for them
  mutable std::mutex mutex_;                               // guards idle_
  mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace chainrule::io::tokenizer
