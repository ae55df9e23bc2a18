#pragma once
#include <cstdint>
#include <vector>

#include "pipeline/pretrain/exchange/ownership.h"

namespace chainrule::pipeline::pretrain::exchange {

/// An ownership that cuts no matrix, for optimizers that need a matrix as a whole (orthogonalised updates). Units are
/// those matrices, and blocks of what lies between them. Buckets and slices end where units end, and every rank's share
/// of the arena stays within the largest unit of an equal one.
class MatrixOwnership final : public Ownership {
 public:
  /// matrices: the ranges that are not to be cut, in arena order, not overlapping. Buckets of bucket_elements, or more
  /// where a matrix is larger.
  MatrixOwnership(std::int64_t arena_size, const std::vector<model::shape::ParameterRange>& matrices, int ranks,
                  std::int64_t bucket_elements);

  int ranks() const override { return ranks_; }
  std::int64_t arena_size() const override { return unit_begins_.back(); }
  std::int64_t bucket_count() const override { return static_cast<std::int64_t>(bucket_units_.size()) - 1; }
  model::shape::ParameterRange bucket(std::int64_t index) const override;
  std::int64_t bucket_of(std::int64_t element) const override;
  model::shape::ParameterRange slice(std::int64_t bucket, int rank) const override;
  std::int64_t block_count() const override { return unit_blocks_.back(); }
  model::shape::ParameterRange block(std::int64_t index) const override;
  IndexRange blocks_of_slice(std::int64_t bucket, int rank) const override;

 private:
  void add_units(model::shape::ParameterRange range, std::int64_t longest);
  void cut_buckets(std::int64_t bucket_elements);
  void divide_buckets();
  IndexRange units_of(std::int64_t bucket, int rank) const;
  std::int64_t unit_begin(std::int64_t unit) const { return unit_begins_[static_cast<std::size_t>(unit)]; }

  int ranks_;
  std::vector<std::int64_t> unit_begins_;   // of each unit, then the arena's end
  std::vector<std::int64_t> unit_blocks_;   // each unit's first block, then the number of blocks
  std::vector<std::int64_t> bucket_units_;  // each bucket's first unit, then the number of units
  std::vector<std::int64_t> cuts_;          // [bucket, ranks + 1]: each slice's first unit, then the bucket's end
};

}  // namespace chainrule::pipeline::pretrain::exchange
