#include "pipeline/pretrain/exchange/embedding_rows.h"

namespace chainrule::pipeline::pretrain::exchange {

EmbeddingRows::EmbeddingRows(const model::shape::ParameterTable& table) {
  const model::shape::Parameter& weight = table.find("token_embedding.weight");
  all_ = {weight.offset, table.arena_size()};
  vocabulary_size_ = weight.shape[0];
  width_ = weight.shape[1];
}

ArenaRanges EmbeddingRows::of(std::span<const std::uint32_t> tokens) const {
  std::vector<bool> wanted(static_cast<std::size_t>(vocabulary_size_));
  for (const std::uint32_t token : tokens) wanted[token] = true;
  ArenaRanges rows;
  for (std::int64_t token = 0; token < vocabulary_size_; ++token) {
    if (!wanted[static_cast<std::size_t>(token)]) continue;
    const std::int64_t begin = all_.begin + token * width_;
    if (!rows.empty() && rows.back().end == begin) {
      rows.back().end += width_;
    } else {
      rows.push_back({begin, begin + width_});
    }
  }
  return rows;
}

}  // namespace chainrule::pipeline::pretrain::exchange
