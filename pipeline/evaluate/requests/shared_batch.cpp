#include "pipeline/evaluate/requests/shared_batch.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "model/round_up.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate::requests {
namespace {

std::span<const TokenId> inputs_of(const ScoredTokens& window) {
  return std::span(window.tokens).first(window.tokens.size() - 1);
}

bool begins_with(std::span<const TokenId> whole, std::span<const TokenId> beginning) {
  return whole.size() >= beginning.size() && std::equal(beginning.begin(), beginning.end(), whole.begin());
}

class BatchBuilder {
 public:
  BatchBuilder(std::span<const ScoredTokens> windows, const std::function<void(const SharedBatch&)>& visit)
      : windows_(windows), visit_(visit) {}

  std::int64_t rows() const { return static_cast<std::int64_t>(batch_.inputs.size()); }

  /// Adds the last of windows, of which the others' inputs are the beginning.
  void add(std::span<const std::size_t> windows) {
    const std::span<const TokenId> inputs = inputs_of(windows_[windows.back()]);
    const std::int64_t first_row = rows();
    batch_.sequences.push_back({first_row, static_cast<std::int64_t>(inputs.size())});
    batch_.inputs.insert(batch_.inputs.end(), inputs.begin(), inputs.end());
    for (const std::size_t window : windows) ask(window, first_row);
  }

  void finish() {
    if (batch_.sequences.empty()) return;
    const auto padded = static_cast<std::size_t>(model::round_up(rows(), windows::kUnitRowsMultiple));
    batch_.inputs.resize(padded, 0);
    set_targets();
    visit_(batch_);
    batch_ = {};
  }

 private:
  void ask(std::size_t window, std::int64_t first_row) {
    const ScoredTokens& of = windows_[window];
    for (std::int64_t position = of.rows() - of.scored; position < of.rows(); ++position) {
      batch_.asks.push_back({first_row + position, of.tokens[static_cast<std::size_t>(position + 1)], window});
    }
  }

  void set_targets() {
    const auto key = [](const Ask& each) { return std::tuple(each.row, each.target, each.window); };
    std::sort(batch_.asks.begin(), batch_.asks.end(), [&](const Ask& a, const Ask& b) { return key(a) < key(b); });
    batch_.targets.assign(batch_.inputs.size(), model::ops::kNotScored);
    const Ask* before = nullptr;
    for (const Ask& each : batch_.asks) {
      TokenId& target = batch_.targets[static_cast<std::size_t>(each.row)];
      if (target == model::ops::kNotScored) {
        target = each.target;
      } else if (before->target != each.target) {  // of the same row
        batch_.further.push_back({each.row, each.target});
      }
      before = &each;
    }
  }

  std::span<const ScoredTokens> windows_;
  const std::function<void(const SharedBatch&)>& visit_;
  SharedBatch batch_;
};

}  // namespace

void for_each_shared_batch(std::span<const ScoredTokens> windows, const SharingOptions& options,
                           const std::function<void(const SharedBatch&)>& visit) {
  std::vector<std::size_t> order(windows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto of_a = inputs_of(windows[a]);
    const auto of_b = inputs_of(windows[b]);
    return std::lexicographical_compare(of_a.begin(), of_a.end(), of_b.begin(), of_b.end());
  });
  // Whatever begins with some inputs follows them in this order, and what the next one begins with it begins with too.
  const auto joins_next = [&](std::size_t i) {
    const auto inputs = inputs_of(windows[order[i]]);
    const auto next = inputs_of(windows[order[i + 1]]);
    return begins_with(next, inputs) && (!options.by_length || next.size() == inputs.size());
  };
  BatchBuilder builder(windows, visit);
  for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
    for (end = first + 1; end < order.size() && joins_next(end - 1);) ++end;
    if (builder.rows() + windows[order[end - 1]].rows() > options.rows) builder.finish();
    builder.add(std::span(order).subspan(first, end - first));
  }
  builder.finish();
}

}  // namespace chainrule::pipeline::evaluate::requests
