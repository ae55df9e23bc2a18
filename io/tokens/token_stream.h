#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/tokenizer/tokenizer.h"

namespace chainrule::io::tokens {

/// One document of the stream. Its tokens, the end-of-text that follows it included, are stream tokens
/// [first_token, first_token + tokens).
struct DocumentRecord {
  std::uint64_t first_token = 0;  ///< stream position of its first token
  std::uint64_t tokens = 0;       ///< end-of-text included, so at least 1 where the stream has it
  std::uint64_t bytes = 0;        ///< UTF-8 bytes of the original text
  std::uint64_t words = 0;        ///< pieces between runs of white space
  std::uint16_t domain = 0;       ///< index into TokenStream::domains()
  std::optional<std::uint64_t> text_hash =
      std::nullopt;  ///< of the original text (see text::text_hash), where it is known
  bool operator==(const DocumentRecord&) const = default;
};

/// Where a document's original lies, for reports: file (as given to pack) and, from 1, its line in a JSONL file
/// or its number in a token file.
struct DocumentSource {
  std::string file;
  std::uint64_t line = 0;
};

/// What training and evaluation read: documents behind each other, each followed by its end-of-text (but see
/// has_end_of_text). Reading from several threads at once is safe.
class TokenStream {
 public:
  virtual ~TokenStream() = default;

  /// Where it lies, for messages.
  virtual const std::filesystem::path& path() const = 0;
  /// The text of a tokenizer.json of the tokenizer its tokens were made with. Throws Error (missing_input,
  /// input_output).
  virtual std::string tokenizer_json() const = 0;
  virtual std::uint64_t token_count() const = 0;  ///< end-of-text tokens included
  virtual std::uint64_t document_count() const = 0;
  virtual std::uint32_t vocabulary_size() const = 0;
  virtual std::uint32_t end_of_text() const = 0;
  /// Whether each document ends in one. Documents of a stream without them may have no token.
  virtual bool has_end_of_text() const { return true; }
  /// What a document is read behind, and the stream's first token: end-of-text or a beginning-of-text token.
  virtual std::uint32_t start_token() const = 0;
  virtual const std::string& tokenizer_fingerprint() const = 0;
  virtual const std::string& fingerprint() const = 0;  ///< of all of it
  virtual const std::vector<std::string>& domains() const = 0;

  /// The files that its content lies in, each of which one rank can verify alone. verify_shard() reads all of a file
  /// and throws Error bad_data where it is not what the stream's description says.
  virtual std::size_t shard_count() const = 0;
  virtual void verify_shard(std::size_t shard) const = 0;

  /// Reads documents [first, first + documents.size()) in stream order; verified: their tokens lie side by side, and
  /// all documents' are all of the stream's. Throws Error bad_data, also for documents that are not there.
  virtual void read_documents(std::uint64_t first, std::span<DocumentRecord> documents) const = 0;
  /// Where each of them comes from.
  virtual void read_sources(std::uint64_t first, std::span<DocumentSource> sources) const = 0;

  /// Reads stream tokens [first, first + tokens.size()). Every id is checked to be below vocabulary_size(). Throws
  /// Error (bad_data naming file and offset; input_output).
  virtual void read(std::uint64_t first, std::span<std::uint32_t> tokens) const = 0;

 protected:
  TokenStream() = default;
  TokenStream(const TokenStream&) = default;
  TokenStream(TokenStream&&) = default;
  TokenStream& operator=(const TokenStream&) = default;
  TokenStream& operator=(TokenStream&&) = default;
};

/// Throws Error bad_data unless [first, first + count) lies within the stream's documents.
void require_documents(const TokenStream& stream, std::uint64_t first, std::uint64_t count);

/// Whether at path lie token files of another system, which do not say whose tokens they hold. Throws Error (bad_data,
/// missing_input, input_output).
bool needs_tokenizer(const std::filesystem::path& path);

/// The stream at path: a data set, or token files of another system (see foreign::find_token_shards). load_tokenizer is
/// called where these need to be told their tokenizer. Throws what opening it throws.
using LoadTokenizer = std::function<std::shared_ptr<const tokenizer::Tokenizer>()>;
std::unique_ptr<TokenStream> open_token_stream(const std::filesystem::path& path, const LoadTokenizer& load_tokenizer);

/// Verifies the shards whose turn it is among `parts` that share them: those numbered part, part + parts ...
void verify_shards(const TokenStream& stream, std::size_t part, std::size_t parts);

}  // namespace chainrule::io::tokens
