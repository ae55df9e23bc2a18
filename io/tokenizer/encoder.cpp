#include "io/tokenizer/encoder.h"

#include "io/tokenizer/piece_cache.h"

namespace chainrule::io::tokenizer {

/// What one thread works with.
struct Encoder::Workspace {
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
      workspace_ = std::make_unique<Workspace>();
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
    : definition_(definition), splitter_(definition.pattern, definition.matches_only), merges_(definition.merges) {
  if (!definition.ignore_merges) return;
  for (TokenId id = 0; id < definition.tokens.size(); ++id) whole_tokens_.emplace(definition.tokens[id], id);
  for (const AddedToken& token : definition.added) {
    const auto found = whole_tokens_.find(definition.tokens[token.id]);
    if (found != whole_tokens_.end() && found->second == token.id) whole_tokens_.erase(found);
  }
}

Encoder::~Encoder() = default;

void Encoder::encode(std::string_view text, std::vector<TokenId>& ids) const {
  if (text.empty()) return;
  std::string prefixed;
  if (definition_.add_prefix_space && text.front() != ' ') {
    prefixed.reserve(text.size() + 1);
    prefixed += ' ';
    prefixed += text;
    text = prefixed;
  }
  Lease lease(*this);
  Splitter::Pieces pieces = splitter_.pieces(text);
  for (std::string_view piece; pieces.next(piece);) encode_piece(piece, lease.workspace(), ids);
}

void Encoder::encode_piece(std::string_view piece, Workspace& workspace, std::vector<TokenId>& ids) const {
  const auto merge = [&] {
    workspace.piece.clear();
    if (!whole_tokens_.empty()) {
      const auto whole = whole_tokens_.find(piece);
      if (whole != whole_tokens_.end()) {
        workspace.piece.push_back(whole->second);
        return;
      }
    }
    for (const char each : piece) workspace.piece.push_back(definition_.byte_ids[static_cast<unsigned char>(each)]);
    workspace.merger.merge(merges_, workspace.piece);
  };
  if (piece.size() > PieceCache::kMaximumBytes) {
    merge();
    ids.insert(ids.end(), workspace.piece.begin(), workspace.piece.end());
    return;
  }
  const PieceCache::Key key(piece);
  const auto known = workspace.cache.find(key);
  if (!known.empty()) {
    ids.insert(ids.end(), known.begin(), known.end());
    return;
  }
  merge();
  workspace.cache.keep(key, workspace.piece);
  ids.insert(ids.end(), workspace.piece.begin(), workspace.piece.end());
}

std::size_t Encoder::settled_prefix(std::string_view text) const {
  return definition_.add_prefix_space ? 0 : splitter_.settled_prefix(text);
}

}  // namespace chainrule::io::tokenizer
