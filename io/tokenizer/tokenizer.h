#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::io::tokenizer {

using TokenId = std::uint32_t;

struct Merge;

/// A byte-level BPE tokenizer. Immutable after construction; encode and decode may be called from several threads.
class Tokenizer {
 public:
  /// Loads a Hugging Face `tokenizer.json`, or a folder that holds one, or a folder with GPT-2's `vocab.json` and
  /// `merges.txt`. Throws Error (missing_input, bad_data) naming file and place.
  static Tokenizer load(const std::filesystem::path& path);

  /// The tokenizer of a training run: GPT-2's pattern and order of ids (256 bytes, results of merges, end-of-text).
  static Tokenizer from_merges(const std::vector<Merge>& merges);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Number of ids, special tokens included; every id is below it.
  std::uint32_t vocabulary_size() const;
  /// Id of `<|endoftext|>`.
  TokenId end_of_text() const;
  /// What a text is read behind: end-of-text.
  TokenId start_token() const;
  /// XXH3-128 (32 hexadecimal digits) of the canonical vocabulary, merges, pattern and special tokens: equal for
  /// equal tokenizers whatever file they came from.
  std::string fingerprint() const;

  /// Appends the ids of text's bytes to ids. Special tokens written out in text are plain text; added tokens that are
  /// not special are always matched.
  void encode(std::string_view text, std::vector<TokenId>& ids) const;
  /// As encode, but the spellings of special tokens become their ids.
  void encode_with_special_tokens(std::string_view text, std::vector<TokenId>& ids) const;

  /// Bytes of the longest prefix of text known to encode alike whatever text follows it; what follows then encodes on
  /// its own, so that a long text can be encoded in parts. 0 where that cannot be known (patterns other than GPT-2's).
  std::size_t settled_prefix(std::string_view text) const;

  /// The bytes of an id (a special token's spelling). Throws Error bad_data for an id outside the vocabulary.
  std::string_view token_bytes(TokenId id) const;
  /// Whether the id is a special token (end-of-text and the like).
  bool is_special(TokenId id) const;
  /// The bytes that ids stand for; the inverse of encode for any bytes, invalid UTF-8 included.
  std::string decode(std::span<const TokenId> ids) const;

  /// Writes a Hugging Face `tokenizer.json`, atomically; the same bytes for equal tokenizers.
  void save(const std::filesystem::path& path) const;
  /// What save() writes.
  std::string to_json() const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace chainrule::io::tokenizer
