#include "io/tokenizer/encoder.h"

#include "io/tokenizer/byte_map.h"
#include "io/tokenizer/piece_cache.h"

namespace chainrule::io::tokenizer {

/// What one thread works with.
struct Encoder::Workspace {
  explicit Workspace(PreTokenizer::Matchers made) : matchers(std::move(made)) {}

  PreTokenizer::Matchers matchers;
  PieceCache cache;
  PieceMerger merger;
  std::vector<TokenId> piece;
};

/// A workspace for the time of one call: an idle one, else a new one.
class Encoder::Lease {
 public:
  explicit Lease(const Encoder& encoder) : encoder_(encoder) {
    const std::lock_guard lock(encoder_.mutex_);
    if (encoder_.idle_.empty()) {
      workspace_ = std::make_unique<Workspace>(encoder_.pre_tokenizer_.matchers());
      encoder_.idle_.reserve(encoder_.idle_.capacity() + 1);  // so that giving it back cannot fail
    } else {
      workspace_ = std::move(encoder_.idle_.back());
      encoder_.idle_.pop_back();
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    const std::lock_guard lock(encoder_.mutex_);
    encoder_.idle_.push_back(std::move(workspace_));
  }
  Workspace& workspace() { return *workspace_; }

 private:
  const Encoder& encoder_;
  std::unique_ptr<Workspace> workspace_;
};

Encoder::Encoder(const TokenizerDefinition& definition)
    : definition_(definition),
      pre_tokenizer_(definition.pre_tokenizations),
      alphabet_(definition),
      merges_(definition.merges, definition.ranked_by_result, definition.tied_results) {
  if (definition.ignore_merges) keep_whole_tokens();
}

Encoder::~Encoder() = default;

void Encoder::keep_whole_tokens() {
  std::unordered_map<TokenId, bool> in_vocabulary;  // of added tokens
  for (const AddedToken& token : definition_.added) in_vocabulary.emplace(token.id, token.in_vocabulary);
  for (TokenId id = 0; id < definition_.tokens.size(); ++id) {
    const std::string& token = definition_.tokens[id];
    const auto added = in_vocabulary.find(id);
    if (added == in_vocabulary.end() || (added->second && definition_.characters)) {
      whole_tokens_.emplace(token, id);
    } else if (added->second) {
      const auto bytes = unspell_bytes(token);
      if (bytes) whole_tokens_.emplace(*bytes, id);
    }
  }
}

std::size_t Encoder::settled_prefix(std::string_view text) const {
  if (!definition_.characters) return pre_tokenizer_.settled_prefix(text);
  if (!whole_tokens_.empty() || !pre_tokenizer_.only_spells_spaces(definition_.characters->space)) return 0;
  return alphabet_.settled_prefix(text);
}

void Encoder::encode(std::string_view text, bool at_start, std::vector<TokenId>& ids) const {
  if (text.empty()) return;
  Lease lease(*this);
  Workspace& workspace = lease.workspace();
  pre_tokenizer_.cut(text, at_start, workspace.matchers,
                     [&](std::string_view piece) { encode_piece(piece, workspace, ids); });
}

void Encoder::encode_piece(std::string_view piece, Workspace& workspace, std::vector<TokenId>& ids) const {
  if (!definition_.characters) {
    encode_part(piece, workspace, ids);
    return;
  }
  if (!whole_tokens_.empty()) {
    const auto whole = whole_tokens_.find(std::string(piece));
    if (whole != whole_tokens_.end()) {
      ids.push_back(whole->second);
      return;
    }
  }
  while (!piece.empty()) {
    const std::size_t end = alphabet_.part_end(piece);
    encode_part(piece.substr(0, end), workspace, ids);
    piece.remove_prefix(end);
  }
}

void Encoder::encode_part(std::string_view part, Workspace& workspace, std::vector<TokenId>& ids) const {
  const auto merge = [&] {
    workspace.piece.clear();
    if (!whole_tokens_.empty() && !definition_.characters) {
      const auto whole = whole_tokens_.find(std::string(part));
      if (whole != whole_tokens_.end()) {
        workspace.piece.push_back(whole->second);
        return;
      }
    }
    alphabet_.spell(part, workspace.piece);
    workspace.merger.merge(merges_, workspace.piece);
  };
  if (part.size() > PieceCache::kMaximumBytes) {
    merge();
    ids.insert(ids.end(), workspace.piece.begin(), workspace.piece.end());
    return;
  }
  const PieceCache::Key key(part);
  const auto known = workspace.cache.find(key);
  if (!known.empty()) {
    ids.insert(ids.end(), known.begin(), known.end());
    return;
  }
  merge();
  workspace.cache.keep(key, workspace.piece);
  ids.insert(ids.end(), workspace.piece.begin(), workspace.piece.end());
}

}  // namespace chainrule::io::tokenizer
