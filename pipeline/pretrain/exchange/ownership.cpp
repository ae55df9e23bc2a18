#include "pipeline/pretrain/exchange/ownership.h"

namespace chainrule::pipeline::pretrain::exchange {

IndexRange Ownership::buckets_within(model::shape::ParameterRange range) const {
  IndexRange within = {0, bucket_count()};
  while (within.size() > 0 && bucket(within.begin).begin < range.begin) ++within.begin;
  while (within.size() > 0 && bucket(within.end - 1).end > range.end) --within.end;
  return within;
}

std::vector<model::shape::ParameterRange> Ownership::slices_of(int rank) const {
  std::vector<model::shape::ParameterRange> slices;
  for (std::int64_t each = 0; each < bucket_count(); ++each) {
    if (const auto mine = slice(each, rank); mine.begin < mine.end) slices.push_back(mine);
  }
  return slices;
}

std::vector<std::int64_t> Ownership::blocks_of(int rank) const {
  std::vector<std::int64_t> blocks;
  for (std::int64_t each = 0; each < bucket_count(); ++each) {
    const IndexRange mine = blocks_of_slice(each, rank);
    for (std::int64_t block = mine.begin; block < mine.end; ++block) blocks.push_back(block);
  }
  return blocks;
}

std::int64_t Ownership::elements_of(int rank) const {
  std::int64_t sum = 0;
  for (const auto& slice : slices_of(rank)) sum += slice.end - slice.begin;
  return sum;
}

}  // namespace chainrule::pipeline::pretrain::exchange
