#pragma once
#include <cstdint>
#include <vector>

#include "io/text/text_source.h"

namespace chainrule::pipeline::pack {

/// The part of a file that a chunk of work covers; see io::visit_documents.
struct FilePiece {
  std::size_t file = 0;
  io::text::ByteRange range;
};

/// A share of the text that one rank tokenises: pieces of files in order.
struct WorkChunk {
  std::vector<FilePiece> pieces;
  std::uint64_t bytes = 0;          ///< of the documents that begin in it, about
  bool has_standard_input = false;  ///< so that only the first rank can take it
};

/// Cuts the files, laid end to end, into chunks of about equal size: a JSONL or token file at any byte, a plain or
/// packed file nowhere. Chunks in order, and pieces within them, visit every document once in stream order. What is
/// packed does not depend on chunk_bytes.
std::vector<WorkChunk> cut_into_chunks(const std::vector<io::text::TextFile>& files, std::uint64_t chunk_bytes);

/// A size of chunk that makes thousands of them where there is much text.
std::uint64_t suitable_chunk_bytes(const std::vector<io::text::TextFile>& files);

/// Which of `ranks` ranks takes each chunk: in order, the one with the fewest bytes so far; standard input is the first
/// rank's.
std::vector<int> assign_chunks(const std::vector<WorkChunk>& chunks, int ranks);

}  // namespace chainrule::pipeline::pack
