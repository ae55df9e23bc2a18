#include "pipeline/pretrain/exchange/rounds.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {

RoundPlan::RoundPlan(std::int64_t micro_batches, std::int64_t lanes, int ranks) : ranks_(ranks) {
  for (std::int64_t first = 0; first < micro_batches; first += lanes) {
    add_round({first, std::min(first + lanes, micro_batches)});
  }
}

void RoundPlan::add_round(IndexRange micro_batches) {
  struct Pending {
    std::int64_t operand = 0;
    std::int64_t lanes = 0;
  };
  // A binary counter: whole subtrees, each smaller than the one before it. That at place i lies in slot first_slot + i.
  std::vector<Pending> pending;
  const bool is_first = micro_batches.begin == 0;
  const std::int64_t first_slot = is_first ? 0 : 1;  // behind the sum of the rounds before
  for (std::int64_t first = micro_batches.begin; first < micro_batches.end; first += ranks_) {
    Turn& turn = turns_.emplace_back(Turn{first, std::min(ranks_, micro_batches.end - first), {}, {}});
    const auto merge_last_two = [&] {
      const Pending last = pending.back();
      pending.pop_back();
      turn.merges.push_back({pending.back().operand, last.operand});
      pending.back().lanes += last.lanes;
    };
    for (std::int64_t leaf = 0; leaf < turn.leaves; ++leaf) {
      pending.push_back({leaf, 1});
      while (pending.size() > 1 && pending[pending.size() - 2].lanes == pending.back().lanes) merge_last_two();
    }
    if (first + turn.leaves == micro_batches.end) {
      // The lanes behind are empty, so what is smaller joins what is larger.
      while (pending.size() > 1) merge_last_two();
      if (!is_first) {
        turn.merges.push_back({operand_of(0), pending.back().operand});
        pending.clear();
      }
    }
    for (std::size_t place = 0; place < pending.size(); ++place) {
      const std::int64_t slot = first_slot + static_cast<std::int64_t>(place);
      slots_ = std::max(slots_, slot + 1);
      if (pending[place].operand < ranks_) turn.kept.push_back({slot, pending[place].operand});
      pending[place].operand = operand_of(slot);
    }
  }
}

}  // namespace chainrule::pipeline::pretrain::exchange
