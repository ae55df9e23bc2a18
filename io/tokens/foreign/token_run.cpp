#include "io/tokens/foreign/token_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/error.h"
#include "io/quote.h"
#include "io/tokens/kept_open.h"

namespace chainrule::io::tokens::foreign {
namespace {

constexpr std::size_t kBlockTokens = std::size_t{1} << 18U;

/// Tokens that lie side by side in a file and in the stream. Between a piece's end and the next one's beginning the
/// stream has an end-of-text that is in no file.
struct Piece {
  std::uint64_t stream_first = 0;
  std::uint64_t file = 0;
  std::uint64_t file_first = 0;
  std::uint64_t tokens = 0;
};

}  // namespace

struct TokenRun::State {
  TokenShards shards;
  DocumentIds ids;
  std::vector<TokenPlace> places;        ///< [files]
  std::vector<Piece> pieces;             ///< a file has one at its beginning, maybe an empty one
  std::vector<std::uint64_t> documents;  ///< [documents + 1] first tokens in the stream, then the token count
  KeptOpen<TokenFile> open;

  State(TokenShards files, const DocumentIds& known) : shards(std::move(files)), ids(known) {
    documents.push_back(0);
    std::vector<std::vector<std::uint64_t>> indices;
    for (const auto& file : shards.files) {
      ShardContent content = open_shard(shards.layout, file);
      places.push_back(content.place);
      indices.push_back(std::move(content.documents));
    }
    if (shards.layout == Layout::llmc) lay_out_llmc();
    for (std::size_t file = 0; file < places.size(); ++file) {
      if (shards.layout == Layout::megatron) lay_out_megatron(file, indices[file]);
      if (shards.layout == Layout::nanogpt) lay_out_nanogpt(file);
    }
  }

  /// Reads a file's tokens as they lie there.
  void read_file(std::size_t file, std::uint64_t first, std::span<std::uint32_t> tokens) {
    open.get(file, [&] { return std::make_shared<const TokenFile>(shards.files[file], places[file]); })
        ->read(first, ids.size, tokens);
    if (shards.layout == Layout::llmc) {
      std::replace(tokens.begin(), tokens.end(), ids.document_start, ids.end_of_text);
    }
  }

  /// Calls visit(token of the file, its id) for all of a file, in order.
  template <class Visit>
  void visit_file(std::size_t file, const Visit& visit) {
    std::vector<std::uint32_t> block;
    for (std::uint64_t first = 0; first < places[file].tokens; first += block.size()) {
      block.resize(std::min<std::uint64_t>(kBlockTokens, places[file].tokens - first));
      read_file(file, first, block);
      for (std::size_t i = 0; i < block.size(); ++i) visit(first + i, block[i]);
    }
  }

  void end_document(std::uint64_t end) { documents.push_back(end); }

  void lay_out_llmc() {
    bool is_first = true;
    std::uint64_t stream = 0;
    for (std::size_t file = 0; file < places.size(); ++file) {
      pieces.push_back({stream, file, 0, places[file].tokens});
      visit_file(file, [&](std::uint64_t token, std::uint32_t id) {
        const bool ends = id == ids.end_of_text;
        if (is_first && ends) {
          pieces.back() = {0, file, token + 1, places[file].tokens - 1};
        } else {
          ++stream;
          if (ends) end_document(stream);
        }
        is_first = false;
      });
    }
    if (!is_first) end_document(stream + 1);
  }

  void lay_out_nanogpt(std::size_t file) {
    const std::uint64_t begin = documents.back();
    pieces.push_back({begin, file, 0, places[file].tokens});
    visit_file(file, [&](std::uint64_t token, std::uint32_t id) {
      if (id == ids.end_of_text) end_document(begin + token + 1);
    });
    const std::uint64_t end = begin + places[file].tokens;
    if (documents.back() != end) end_document(end + 1);
  }

  void lay_out_megatron(std::size_t file, const std::vector<std::uint64_t>& index) {
    pieces.push_back({documents.back(), file, 0, 0});
    std::size_t document = 0;
    const auto end_one = [&](bool has_end) {
      const std::uint64_t tokens = index[document + 1] - index[document];
      pieces.back().tokens += tokens;
      end_document(documents.back() + tokens + (has_end ? 0 : 1));
      ++document;
      if (!has_end) pieces.push_back({documents.back(), file, index[document], 0});
    };
    const auto end_empty_ones = [&](std::uint64_t token) {
      while (document + 1 < index.size() && index[document + 1] == index[document] && index[document] == token) {
        end_one(false);
      }
    };
    visit_file(file, [&](std::uint64_t token, std::uint32_t id) {
      end_empty_ones(token);
      if (token + 1 == index[document + 1]) end_one(id == ids.end_of_text);
    });
    end_empty_ones(places[file].tokens);
  }

  /// The last piece that begins at or before a stream position.
  const Piece& piece_at(std::uint64_t position) const {
    return *(std::upper_bound(pieces.begin(), pieces.end(), position,
                              [](std::uint64_t at, const Piece& piece) { return at < piece.stream_first; }) -
             1);
  }
};

TokenRun::TokenRun(TokenShards shards, const DocumentIds& ids)
    : state_(std::make_unique<State>(std::move(shards), ids)) {}
TokenRun::TokenRun(TokenRun&&) noexcept = default;
TokenRun::~TokenRun() = default;

const TokenShards& TokenRun::shards() const { return state_->shards; }
std::uint64_t TokenRun::token_count() const { return state_->documents.back(); }
std::uint64_t TokenRun::document_count() const { return state_->documents.size() - 1; }
std::uint64_t TokenRun::first_token(std::uint64_t document) const { return state_->documents[document]; }

TokenRun::Place TokenRun::place_of(std::uint64_t document) const {
  const std::uint64_t position = state_->documents[document];
  const Piece& piece = state_->piece_at(position);
  const TokenPlace& place = state_->places[piece.file];
  const std::uint64_t token = piece.file_first + std::min(piece.tokens, position - piece.stream_first);
  return {piece.file, place.first_byte + token * place.type.bytes};
}

std::pair<std::uint64_t, std::uint64_t> TokenRun::documents_of(std::size_t file) const {
  return documents_in(file, 0, UINT64_MAX);
}

std::pair<std::uint64_t, std::uint64_t> TokenRun::documents_in(std::size_t file, std::uint64_t begin,
                                                               std::uint64_t end) const {
  const TokenPlace& place = state_->places[file];
  if (end >= place.first_byte + place.tokens * place.type.bytes) end = UINT64_MAX;  // what begins where the file ends
  const auto first_from = [&](std::uint64_t offset) {
    std::uint64_t before = 0;  // documents up to here begin before offset, those from behind on do not
    for (std::uint64_t behind = document_count(); before < behind;) {
      const std::uint64_t middle = before + (behind - before) / 2;
      if (place_of(middle) < Place{file, offset}) {
        before = middle + 1;
      } else {
        behind = middle;
      }
    }
    return before;
  };
  return {first_from(begin), first_from(end)};
}

bool TokenRun::end_was_added(std::uint64_t document) const {
  if (state_->shards.layout == Layout::llmc) return false;
  const std::uint64_t last = state_->documents[document + 1] - 1;
  const Piece& piece = state_->piece_at(last);
  return last - piece.stream_first >= piece.tokens;
}

void TokenRun::read(std::uint64_t first, std::span<std::uint32_t> tokens) const {
  if (first > token_count() || tokens.size() > token_count() - first) {
    throw Error(ErrorKind::bad_data,
                fmt::format("tokens {} to {} are outside the {} of {}", first, first + tokens.size(), token_count(),
                            path_in_quotes(state_->shards.files.front())));
  }
  while (!tokens.empty()) {
    const Piece& piece = state_->piece_at(first);
    const std::uint64_t within = first - piece.stream_first;
    std::size_t count = 1;
    if (within < piece.tokens) {
      count = std::min<std::uint64_t>(tokens.size(), piece.tokens - within);
      state_->read_file(piece.file, piece.file_first + within, tokens.first(count));
    } else {
      tokens.front() = state_->ids.end_of_text;
    }
    tokens = tokens.subspan(count);
    first += count;
  }
}

}  // namespace chainrule::io::tokens::foreign
