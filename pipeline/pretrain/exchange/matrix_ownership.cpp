#include "pipeline/pretrain/exchange/matrix_ownership.h"

#include <algorithm>
#include <cstdlib>

#include "model/optimizer/adamw.h"
#include "model/round_up.h"

namespace chainrule::pipeline::pretrain::exchange {
namespace {

/// Index of the last bound that is not above value; bounds ascend and begin with 0.
std::int64_t index_of(const std::vector<std::int64_t>& bounds, std::int64_t value) {
  return std::upper_bound(bounds.begin(), bounds.end(), value) - bounds.begin() - 1;
}

}  // namespace

MatrixOwnership::MatrixOwnership(std::int64_t arena_size, const std::vector<model::shape::ParameterRange>& matrices,
                                 int ranks, std::int64_t bucket_elements)
    : ranks_(ranks), unit_begins_{0}, unit_blocks_{0} {
  for (const auto& matrix : matrices) {
    add_units({unit_begins_.back(), matrix.begin}, model::optimizer::kOptimizerBlock);
    add_units(matrix, matrix.end - matrix.begin);
  }
  add_units({unit_begins_.back(), arena_size}, model::optimizer::kOptimizerBlock);
  cut_buckets(bucket_elements);
  divide_buckets();
}

void MatrixOwnership::add_units(model::shape::ParameterRange range, std::int64_t longest) {
  constexpr std::int64_t kBlock = model::optimizer::kOptimizerBlock;
  for (std::int64_t begin = range.begin; begin < range.end;) {
    const std::int64_t end = std::min(begin + longest, range.end);
    unit_begins_.push_back(end);
    unit_blocks_.push_back(unit_blocks_.back() + model::divide_up(end - begin, kBlock));
    begin = end;
  }
}

void MatrixOwnership::cut_buckets(std::int64_t bucket_elements) {
  const auto units = static_cast<std::int64_t>(unit_begins_.size()) - 1;
  bucket_units_ = {0};
  for (std::int64_t unit = 1; unit <= units; ++unit) {
    if (unit == units || unit_begin(unit) - unit_begin(bucket_units_.back()) >= bucket_elements) {
      bucket_units_.push_back(unit);
    }
  }
}

/// Ranks 0 to r together get, of all buckets so far, as near to (r + 1) / ranks as units allow: what one bucket cannot
/// divide evenly the next ones make up for.
void MatrixOwnership::divide_buckets() {
  std::vector<std::int64_t> owned(static_cast<std::size_t>(ranks_));  // by ranks 0 to r, of the buckets so far
  for (std::int64_t bucket = 0; bucket < bucket_count(); ++bucket) {
    const model::shape::ParameterRange whole = this->bucket(bucket);
    const std::int64_t end = bucket_units_[static_cast<std::size_t>(bucket) + 1];
    std::int64_t cut = bucket_units_[static_cast<std::size_t>(bucket)];
    cuts_.push_back(cut);
    for (int rank = 0; rank + 1 < ranks_; ++rank) {
      std::int64_t& mine = owned[static_cast<std::size_t>(rank)];
      const std::int64_t wanted = whole.begin + (rank + 1) * whole.end / ranks_ - mine;
      while (cut < end && std::abs(unit_begin(cut + 1) - wanted) <= std::abs(unit_begin(cut) - wanted)) ++cut;
      mine += unit_begin(cut) - whole.begin;
      cuts_.push_back(cut);
    }
    cuts_.push_back(end);
  }
}

model::shape::ParameterRange MatrixOwnership::bucket(std::int64_t index) const {
  const auto at = static_cast<std::size_t>(index);
  return {unit_begin(bucket_units_[at]), unit_begin(bucket_units_[at + 1])};
}

std::int64_t MatrixOwnership::bucket_of(std::int64_t element) const {
  return index_of(bucket_units_, index_of(unit_begins_, element));
}

IndexRange MatrixOwnership::units_of(std::int64_t bucket, int rank) const {
  const auto at = static_cast<std::size_t>(bucket * (ranks_ + 1) + rank);
  return {cuts_[at], cuts_[at + 1]};
}

model::shape::ParameterRange MatrixOwnership::slice(std::int64_t bucket, int rank) const {
  const IndexRange units = units_of(bucket, rank);
  return {unit_begin(units.begin), unit_begin(units.end)};
}

model::shape::ParameterRange MatrixOwnership::block(std::int64_t index) const {
  constexpr std::int64_t kBlock = model::optimizer::kOptimizerBlock;
  const std::int64_t unit = index_of(unit_blocks_, index);
  const std::int64_t begin = unit_begin(unit) + (index - unit_blocks_[static_cast<std::size_t>(unit)]) * kBlock;
  return {begin, std::min(begin + kBlock, unit_begin(unit + 1))};
}

IndexRange MatrixOwnership::blocks_of_slice(std::int64_t bucket, int rank) const {
  const IndexRange units = units_of(bucket, rank);
  return {unit_blocks_[static_cast<std::size_t>(units.begin)], unit_blocks_[static_cast<std::size_t>(units.end)]};
}

}  // namespace chainrule::pipeline::pretrain::exchange
