#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "io/tokenizer/tokenizer.h"
#include "pipeline/pack/inputs.h"
#include "pipeline/pack/work_chunks.h"

namespace chainrule::pipeline::pack {

/// The documents of one chunk that went to one data set: where they lie in their rank's spill.
struct ChunkPart {
  std::uint64_t first_document = 0;
  std::uint64_t documents = 0;
  std::uint64_t first_token = 0;
  std::uint64_t tokens = 0;
};

/// What became of a chunk. Told to all ranks as bytes.
struct ChunkResult {
  std::uint64_t chunk = 0;
  std::int64_t rank = 0;
  std::uint64_t last_piece_lines = 0;     ///< lines, or documents of a token file, that begin in its last piece
  std::uint64_t empty_documents[2] = {};  ///< [set]
  std::uint64_t added_ends[2] = {};       ///< [set] see PackedSet
  std::array<ChunkPart, 2> parts;         ///< [set] 0: train or the only one, 1: held out
};

/// Whether a document is held out: XXH3-64 of its bytes is below fraction x 2^64.
bool is_held_out(std::string_view text, double fraction);

struct EncodeTask {
  const PackOptions& options;
  const PackInputs& inputs;
  const io::tokenizer::Tokenizer& tokenizer;
  const std::vector<WorkChunk>& chunks;
  std::filesystem::path spill_folder;
  std::function<bool()> stopped;                             ///< asked between chunks
  std::function<void(std::uint64_t bytes)> progress;         ///< bytes of text this rank has done
  std::uint64_t long_text_bytes = std::uint64_t{64} << 20U;  ///< a longer plain file is not held in memory
};

/// Tokenises the chunks that takers gives to rank and spills the documents. Makes no collective calls.
std::vector<ChunkResult> encode_chunks(const EncodeTask& task, const std::vector<int>& takers, int rank);

}  // namespace chainrule::pipeline::pack
