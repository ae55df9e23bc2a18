#pragma once
#include <cstdint>
#include <vector>

#include "model/shape/parameters.h"
#include "pipeline/pretrain/exchange/lanes.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Who owns which elements of an arena: optimizer state and the sums of gradients are divided so (ZeRO-1; Rajbhandari
/// and others 2020). The arena is cut into buckets, what travels at once, and each bucket into contiguous slices, one a
/// rank in rank order. For sums it is also cut into blocks of at most model::optimizer::kOptimizerBlock elements, which
/// do not depend on the number of ranks; a block lies in one slice. Everything here is arithmetic.
class Ownership {
 public:
  virtual ~Ownership() = default;

  virtual int ranks() const = 0;
  virtual std::int64_t arena_size() const = 0;

  virtual std::int64_t bucket_count() const = 0;
  virtual model::shape::ParameterRange bucket(std::int64_t index) const = 0;
  /// The bucket that holds this element of the arena.
  virtual std::int64_t bucket_of(std::int64_t element) const = 0;
  /// A rank's slice of a bucket; may be empty.
  virtual model::shape::ParameterRange slice(std::int64_t bucket, int rank) const = 0;

  virtual std::int64_t block_count() const = 0;
  virtual model::shape::ParameterRange block(std::int64_t index) const = 0;
  /// The blocks of a rank's slice of a bucket.
  virtual IndexRange blocks_of_slice(std::int64_t bucket, int rank) const = 0;

  /// The buckets that hold nothing outside of range.
  IndexRange buckets_within(model::shape::ParameterRange range) const;
  /// A rank's slices that are not empty, in arena order.
  std::vector<model::shape::ParameterRange> slices_of(int rank) const;
  /// Indices of a rank's blocks, in order.
  std::vector<std::int64_t> blocks_of(int rank) const;
  std::int64_t elements_of(int rank) const;
};

}  // namespace chainrule::pipeline::pretrain::exchange
