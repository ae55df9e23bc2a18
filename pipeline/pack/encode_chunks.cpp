#include "pipeline/pack/encode_chunks.h"

#include <xxhash.h>

#include <cmath>

#include "io/text/word_count.h"
#include "pipeline/pack/spill.h"

namespace chainrule::pipeline::pack {

bool is_held_out(std::string_view text, double fraction) {
  return XXH3_64bits(text.data(), text.size()) < static_cast<std::uint64_t>(std::ldexp(fraction, 64));
}

std::vector<ChunkResult> encode_chunks(const EncodeTask& task, const std::vector<int>& takers, int rank) {
  std::vector<SpillWriter> spills;
  for (int set = 0; set < (task.options.held_out ? 2 : 1); ++set) spills.emplace_back(task.spill_folder, rank, set);
  std::vector<ChunkResult> results;
  std::vector<std::uint32_t> tokens;
  std::uint64_t done_bytes = 0;
  for (std::size_t chunk = 0; chunk < task.chunks.size(); ++chunk) {
    if (takers[chunk] != rank) continue;
    if (task.stopped()) return results;
    ChunkResult result;
    result.chunk = chunk;
    result.rank = rank;
    for (std::size_t set = 0; set < spills.size(); ++set) {
      result.parts[set].first_document = spills[set].documents();
      result.parts[set].first_token = spills[set].tokens();
    }
    for (const FilePiece& piece : task.chunks[chunk].pieces) {
      const auto encode = [&](std::string_view text, std::uint64_t line) {
        tokens.clear();
        task.tokenizer.encode(text, tokens);
        tokens.push_back(task.tokenizer.end_of_text());
        const std::size_t set = task.options.held_out && is_held_out(text, *task.options.held_out) ? 1 : 0;
        spills[set].append({tokens.size(), text.size(), io::text::count_words(text), line, piece.file}, tokens);
        if (text.empty()) ++result.empty_documents[set];
        task.progress(done_bytes + text.size());
      };
      result.last_piece_lines =
          io::text::visit_documents(task.inputs.files[piece.file], piece.range, task.options.text_field, encode);
    }
    for (std::size_t set = 0; set < spills.size(); ++set) {
      result.parts[set].documents = spills[set].documents() - result.parts[set].first_document;
      result.parts[set].tokens = spills[set].tokens() - result.parts[set].first_token;
    }
    results.push_back(result);
    done_bytes += task.chunks[chunk].bytes;
    task.progress(done_bytes);
  }
  for (auto& spill : spills) spill.close();
  return results;
}

}  // namespace chainrule::pipeline::pack
