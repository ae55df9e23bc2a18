#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "io/tokens/foreign/document_ids.h"
#include "io/tokens/foreign/token_shards.h"

namespace chainrule::io::tokens::foreign {

/// Writes documents as token files of another system: those that TokenRun reads as the same stream.
class DocumentWriter {
 public:
  virtual ~DocumentWriter() = default;
  DocumentWriter(const DocumentWriter&) = delete;
  DocumentWriter& operator=(const DocumentWriter&) = delete;

  /// The next document, its end-of-text included. Throws Error: bad_data where the layout cannot hold it, input_output,
  /// cannot_create.
  virtual void append(std::span<const std::uint32_t> document) = 0;
  /// Completes and syncs the files, which it returns.
  virtual TokenShards finish() = 0;

 protected:
  DocumentWriter() = default;
};

/// Files tokens_000000.bin, tokens_000001.bin ... of shard_tokens tokens each, as llm.c's own scripts cut them:
/// wherever a file is full. A document that holds ids.document_start or end-of-text cannot be written. shard_tokens: 1
/// to 2^31 - 1.
std::unique_ptr<DocumentWriter> write_llmc(const std::filesystem::path& folder, const DocumentIds& ids,
                                           std::uint64_t shard_tokens);

/// The pair tokens_document.bin and .idx, each document one sequence that ends in end-of-text. Memory: 28 bytes a
/// document.
std::unique_ptr<DocumentWriter> write_megatron(const std::filesystem::path& folder, const DocumentIds& ids);

}  // namespace chainrule::io::tokens::foreign
