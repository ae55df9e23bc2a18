#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::io::tokenizer {

using TokenId = std::uint32_t;

struct Merge;
struct GgufVocabulary;

/// A BPE tokenizer, of bytes or of characters. Immutable after construction; encode and decode may be called from
/// several threads.
class Tokenizer {
 public:
  /// Loads a Hugging Face `tokenizer.json`, or a `.tiktoken` or `.model` file of tokens and ranks in tiktoken's form,
  /// or a folder that holds `tokenizer.json`, else `vocab.json` and `merges.txt`, else one of the second kind. What
  /// `tokenizer_config.json` beside them says of the tokens that begin and end a text is taken. What a file asks for
  /// and is not supported is refused. Throws Error (missing_input, bad_data) naming file and place.
  static Tokenizer load(const std::filesystem::path& path);

  /// The tokenizer of a training run: GPT-2's pattern and order of ids (256 bytes, results of merges, end-of-text).
  static Tokenizer from_merges(const std::vector<Merge>& merges);

  /// The tokenizer of a GGUF file. Throws Error bad_data naming the file's key.
  static Tokenizer from_gguf(const GgufVocabulary& vocabulary);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Number of ids, special tokens included; every id is below it.
  std::uint32_t vocabulary_size() const;
  /// Id of the token that ends a text: `<|endoftext|>`, or what the family calls it.
  TokenId end_of_text() const;
  /// What a text is read behind: the token that the tokenizer's files say begins a text, else end-of-text. (As lm-eval
  /// chooses its prefix token.)
  TokenId start_token() const;
  /// What the files call bos_token and eos_token, where they do.
  std::optional<TokenId> named_start() const;
  std::optional<TokenId> named_end() const;
  /// What the file's template puts before and behind a text where special tokens are asked for. encode() does not.
  const std::vector<TokenId>& template_before() const;
  const std::vector<TokenId>& template_after() const;
  /// XXH3-128 (32 hexadecimal digits) of all that decides ids: vocabulary, merges, pattern, special tokens and what is
  /// done before merging. Equal for equal tokenizers whatever file they came from; the start token is no part of it.
  std::string fingerprint() const;

  /// Appends the ids of text's bytes to ids. Special tokens written out in text are plain text; added tokens that are
  /// not special are always matched.
  void encode(std::string_view text, std::vector<TokenId>& ids) const;
  /// As encode, but the spellings of special tokens become their ids.
  void encode_with_special_tokens(std::string_view text, std::vector<TokenId>& ids) const;
  /// As encode_with_special_tokens, between the tokens that the file's template puts around a text: what Hugging Face's
  /// libraries do where nobody asks for anything else.
  void encode_in_template(std::string_view text, std::vector<TokenId>& ids) const;

  /// The bytes of an id (a special token's spelling). Throws Error bad_data for an id outside the vocabulary.
  std::string_view token_bytes(TokenId id) const;
  /// The same as tokenizer files spell it. Throws Error bad_data likewise.
  std::string token_spelling(TokenId id) const;
  /// Whether the id is a special token (end-of-text and the like).
  bool is_special(TokenId id) const;
  /// The bytes that ids stand for; the inverse of encode for any bytes, invalid UTF-8 included, where nothing is lost
  /// in encoding (normalizers, unknown characters, splits that remove).
  std::string decode(std::span<const TokenId> ids) const;

  /// Writes a Hugging Face `tokenizer.json`, atomically; the same bytes for equal tokenizers.
  void save(const std::filesystem::path& path) const;
  /// What save() writes.
  std::string to_json() const;
  /// The same for Hugging Face's library, which reads no file with a member that it does not know.
  std::string to_library_json() const;
  /// What that lacks and neither bos_token nor eos_token says: a member "chainrule" of `tokenizer_config.json` beside
  /// it; empty for nothing.
  std::string beyond_library_json() const;

 private:
  friend class PiecewiseEncoder;
  /// Bytes of the longest prefix of text known to encode alike whatever text follows it; 0 where that cannot be known.
  std::size_t settled_prefix(std::string_view text) const;
  /// Appends the ids of a text, or (at_start false) of what follows a settled prefix.
  void encode_part(std::string_view text, bool at_start, bool special_tokens, std::vector<TokenId>& ids) const;

  void require_known(TokenId id) const;

  struct State;
  explicit Tokenizer(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace chainrule::io::tokenizer
