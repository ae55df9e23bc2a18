#include "pipeline/pack/encode_chunks.h"

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "io/text/text_hash.h"
#include "io/text/word_count.h"
#include "io/tokenizer/piecewise_encoder.h"
#include "io/tokens/foreign/foreign_stream.h"
#include "pipeline/pack/spill.h"

namespace chainrule::pipeline::pack {

namespace {

bool is_below(std::uint64_t hash, double fraction) {
  return hash < static_cast<std::uint64_t>(std::ldexp(fraction, 64));
}

}  // namespace

bool is_held_out(std::string_view text, double fraction) { return is_below(io::text::text_hash(text), fraction); }

namespace {

namespace foreign = io::tokens::foreign;

class ChunkEncoder {
 public:
  ChunkEncoder(const EncodeTask& task, int rank) : task_(task), rank_(rank) {
    for (int set = 0; set < (task.options.held_out ? 2 : 1); ++set) spills_.emplace_back(task.spill_folder, rank, set);
  }

  ChunkResult encode(std::size_t chunk) {
    result_ = {};
    result_.chunk = chunk;
    result_.rank = rank_;
    for (std::size_t set = 0; set < spills_.size(); ++set) {
      result_.parts[set].first_document = spills_[set].documents();
      result_.parts[set].first_token = spills_[set].tokens();
    }
    for (const FilePiece& piece : task_.chunks[chunk].pieces) {
      const bool has_tokens = task_.inputs.files[piece.file].format == io::text::TextFormat::tokens;
      result_.last_piece_lines = has_tokens       ? take_tokens(piece)
                                 : is_long(piece) ? take_long_text(piece)
                                                  : take_text(piece);
    }
    for (std::size_t set = 0; set < spills_.size(); ++set) {
      result_.parts[set].documents = spills_[set].documents() - result_.parts[set].first_document;
      result_.parts[set].tokens = spills_[set].tokens() - result_.parts[set].first_token;
    }
    done_bytes_ += task_.chunks[chunk].bytes;
    task_.progress(done_bytes_);
    return result_;
  }

  void close() {
    for (auto& spill : spills_) spill.close();
  }

 private:
  /// The documents of a text file that begin in the piece. Returns its lines.
  std::uint64_t take_text(const FilePiece& piece) {
    return io::text::visit_documents(task_.inputs.files[piece.file], piece.range, task_.options.fields,
                                     [&](const io::text::Document& document) {
                                       tokens_.clear();
                                       task_.tokenizer.encode(document.text, tokens_);
                                       tokens_.push_back(task_.tokenizer.end_of_text());
                                       spill(document.text, spilled(document.counted, document.line, piece.file));
                                     });
  }

  bool is_long(const FilePiece& piece) const {
    const io::text::TextFile& file = task_.inputs.files[piece.file];
    return file.format == io::text::TextFormat::plain && file.bytes > task_.long_text_bytes;
  }

  /// A plain file that is not held in memory: read once for its hash and words, once for its tokens.
  std::uint64_t take_long_text(const FilePiece& piece) {
    const io::text::TextFile& file = task_.inputs.files[piece.file];
    io::text::TextHash hash;
    io::text::WordCounter words;
    io::text::visit_bytes(file, [&](std::string_view part) {
      hash.add(part);
      words.add(part);
    });
    const std::size_t set = task_.options.held_out && is_below(hash.value(), *task_.options.held_out) ? 1 : 0;
    const std::uint64_t before = spills_[set].tokens();
    std::uint64_t bytes = 0;
    io::tokenizer::PiecewiseEncoder encoder(task_.tokenizer,
                                            [&](auto tokens, std::size_t) { spills_[set].append_tokens(tokens); });
    io::text::refuse_by_name(file, [&] {
      io::text::visit_bytes(file, [&](std::string_view part) {
        encoder.append(part);
        bytes += part.size();
        task_.progress(done_bytes_ + bytes);
      });
      encoder.finish();
    });
    spills_[set].append_tokens(std::array{task_.tokenizer.end_of_text()});
    spills_[set].append({spills_[set].tokens() - before, bytes, words.words(), hash.value(), 0, piece.file});
    return 0;
  }

  /// The documents of a token file that begin in the piece. Returns their number.
  std::uint64_t take_tokens(const FilePiece& piece) {
    const auto [first_file, end_file] = task_.inputs.run_of(piece.file);
    const foreign::TokenRun& run = open_run(first_file, end_file);
    const auto [first, end] = run.documents_in(piece.file - first_file, piece.range.begin, piece.range.end);
    for (std::uint64_t document = first; document < end; ++document) {
      const std::string text = foreign::decoded_document(run, document, task_.tokenizer, tokens_);
      const std::size_t set = spill(text, spilled(text, document - first + 1, piece.file));
      if (run.end_was_added(document)) ++result_.added_ends[set];
    }
    return end - first;
  }

  /// Pieces come in order, so that one run is open at a time.
  const foreign::TokenRun& open_run(std::size_t first, std::size_t end) {
    if (run_ && run_first_ == first) return *run_;
    run_.reset();
    foreign::TokenShards shards{task_.inputs.layout[first], {}};
    for (std::size_t file = first; file < end; ++file) shards.files.push_back(task_.inputs.files[file].path);
    run_.emplace(std::move(shards), foreign::document_ids_of(task_.tokenizer));
    run_first_ = first;
    return *run_;
  }

  /// The document of tokens_, whose text is counted.
  SpilledDocument spilled(std::string_view counted, std::uint64_t line, std::uint64_t file) const {
    return {tokens_.size(), counted.size(), io::text::count_words(counted), io::text::text_hash(counted), line, file};
  }

  /// Puts tokens_ where the document's text belongs; returns in which set that is.
  std::size_t spill(std::string_view text, const SpilledDocument& document) {
    const std::size_t set = task_.options.held_out && is_held_out(text, *task_.options.held_out) ? 1 : 0;
    spills_[set].append_tokens(tokens_);
    spills_[set].append(document);
    if (text.empty()) ++result_.empty_documents[set];
    task_.progress(done_bytes_ + text.size());
    return set;
  }

  const EncodeTask& task_;
  int rank_;
  std::vector<SpillWriter> spills_;
  std::vector<std::uint32_t> tokens_;  ///< of the document that is in hand
  std::optional<foreign::TokenRun> run_;
  std::size_t run_first_ = 0;
  ChunkResult result_;
  std::uint64_t done_bytes_ = 0;
};

}  // namespace

std::vector<ChunkResult> encode_chunks(const EncodeTask& task, const std::vector<int>& takers, int rank) {
  ChunkEncoder encoder(task, rank);
  std::vector<ChunkResult> results;
  for (std::size_t chunk = 0; chunk < task.chunks.size(); ++chunk) {
    if (takers[chunk] != rank) continue;
    if (task.stopped()) return results;
    results.push_back(encoder.encode(chunk));
  }
  encoder.close();
  return results;
}

}  // namespace chainrule::pipeline::pack
