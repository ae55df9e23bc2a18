#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "io/tokens/foreign/document_ids.h"
#include "io/tokens/foreign/token_shards.h"

namespace chainrule::io::tokens::foreign {

/// Token files read as a stream of ours: documents, each followed by end-of-text. Nothing is copied.
/// - llm.c: what stands before a document ends the one before it, the first one is the virtual start token, and one is
///   added behind the last document. A file that begins otherwise goes on with the document of the file before it. What
///   stands before a document may be another token than end-of-text (see DocumentIds), and is read as that.
/// - Megatron: documents are those of the index; an end-of-text is added to those that do not end in one.
/// - nanoGPT: documents end in end-of-text; one is added to the last where it lacks it.
/// Memory: 8 bytes a document, and 32 for each to which an end-of-text is added.
class TokenRun {
 public:
  /// Opens the files and reads all of them once: every id is below ids.size. Throws Error (missing_input,
  /// bad_data, input_output).
  TokenRun(TokenShards shards, const DocumentIds& ids);
  TokenRun(TokenRun&&) noexcept;
  ~TokenRun();

  const TokenShards& shards() const;
  std::uint64_t token_count() const;                        ///< of the stream
  std::uint64_t document_count() const;                     ///< empty ones included
  std::uint64_t first_token(std::uint64_t document) const;  ///< of [0, document_count()], stream position

  /// Where a document begins.
  struct Place {
    std::size_t file = 0;      ///< index into shards().files
    std::uint64_t offset = 0;  ///< byte of that file
    auto operator<=>(const Place&) const = default;
  };
  Place place_of(std::uint64_t document) const;
  /// The documents [first, end) that begin in a file.
  std::pair<std::uint64_t, std::uint64_t> documents_of(std::size_t file) const;
  /// Those of them that begin in bytes [begin, end) of it; ranges that tile a file have each of its documents once.
  std::pair<std::uint64_t, std::uint64_t> documents_in(std::size_t file, std::uint64_t begin, std::uint64_t end) const;
  /// Whether an end-of-text was added to a document that does not have the one that its layout asks for.
  bool end_was_added(std::uint64_t document) const;

  /// Stream tokens [first, first + tokens.size()), which must be there.
  void read(std::uint64_t first, std::span<std::uint32_t> tokens) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chainrule::io::tokens::foreign
