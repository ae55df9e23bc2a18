#include "pipeline/pretrain/exchange/arena_ranges.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {

std::int64_t elements_of(const ArenaRanges& ranges) {
  std::int64_t sum = 0;
  for (const auto& range : ranges) sum += range.end - range.begin;
  return sum;
}

ArenaRanges common_part(const ArenaRanges& left, const ArenaRanges& right) {
  ArenaRanges common;
  for (auto l = left.begin(), r = right.begin(); l != left.end() && r != right.end();) {
    const model::shape::ParameterRange both = {std::max(l->begin, r->begin), std::min(l->end, r->end)};
    if (both.begin < both.end) common.push_back(both);
    if (l->end < r->end) {
      ++l;
    } else {
      ++r;
    }
  }
  return common;
}

ArenaRanges without(model::shape::ParameterRange whole, const ArenaRanges& holes) {
  ArenaRanges rest;
  auto hole = std::upper_bound(holes.begin(), holes.end(), whole.begin,
                               [](std::int64_t at, const model::shape::ParameterRange& each) { return at < each.end; });
  for (; hole != holes.end() && hole->begin < whole.end; ++hole) {
    if (whole.begin < hole->begin) rest.push_back({whole.begin, hole->begin});
    whole.begin = hole->end;
  }
  if (whole.begin < whole.end) rest.push_back(whole);
  return rest;
}

void pack(const float* arena, const ArenaRanges& ranges, float* packed) {
  for (const auto& range : ranges) packed = std::copy(arena + range.begin, arena + range.end, packed);
}

void unpack(const float* packed, const ArenaRanges& ranges, float* arena) {
  for (const auto& range : ranges) {
    std::copy(packed, packed + (range.end - range.begin), arena + range.begin);
    packed += range.end - range.begin;
  }
}

}  // namespace chainrule::pipeline::pretrain::exchange
