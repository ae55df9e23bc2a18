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

/// How many tokens both begin with.
std::int64_t common_beginning(std::span<const TokenId> a, std::span<const TokenId> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

/// Attention packs the keys and values of every position that a sequence meets, so that many short ones behind a long
/// beginning take more memory than their rows: at most so many times the rows of a batch.
constexpr std::int64_t kMostMet = 8;

class BatchBuilder {
 public:
  BatchBuilder(std::span<const ScoredTokens> windows, const SharingOptions& options,
               const std::function<void(const SharedBatch&)>& visit)
      : windows_(windows), options_(options), visit_(visit) {}

  /// In an order in which nothing begins like a window more than the one before it.
  void add(std::size_t window) {
    const std::span<const TokenId> inputs = inputs_of(windows_[window]);
    const auto length = static_cast<std::int64_t>(inputs.size());
    std::int64_t shared = shared_with_last(inputs);
    const std::int64_t met = shared < length ? length : 0;
    if (rows() + length - shared > options_.rows || met_ + met > kMostMet * options_.rows) {
      finish();
      shared = 0;
    }
    while (!path_.empty() && sequence(path_.back()).position >= shared) path_.pop_back();
    if (shared < length) add_sequence(inputs, shared);
    last_ = inputs;
    ask(window);
  }

  void finish() {
    if (batch_.sequences.empty()) return;
    const auto padded = static_cast<std::size_t>(model::round_up(rows(), windows::kUnitRowsMultiple));
    batch_.inputs.resize(padded, 0);
    set_targets();
    visit_(batch_);
    batch_ = {};
    path_.clear();
    last_ = {};
    met_ = 0;
  }

 private:
  std::int64_t rows() const { return static_cast<std::int64_t>(batch_.inputs.size()); }
  const model::ops::Sequence& sequence(std::int64_t index) const {
    return batch_.sequences[static_cast<std::size_t>(index)];
  }

  std::int64_t shared_with_last(std::span<const TokenId> inputs) const {
    if (options_.by_length && inputs.size() != last_.size()) return 0;
    return common_beginning(inputs, last_);
  }

  void add_sequence(std::span<const TokenId> inputs, std::int64_t shared) {
    const std::int64_t parent = path_.empty() ? model::ops::kNoParent : path_.back();
    path_.push_back(static_cast<std::int64_t>(batch_.sequences.size()));
    batch_.sequences.push_back({rows(), static_cast<std::int64_t>(inputs.size()) - shared, shared, parent});
    batch_.inputs.insert(batch_.inputs.end(), inputs.begin() + shared, inputs.end());
    met_ += static_cast<std::int64_t>(inputs.size());
  }

  /// Of the window that was added last.
  void ask(std::size_t window) {
    const ScoredTokens& of = windows_[window];
    auto at = path_.rbegin();
    for (std::int64_t position = of.rows() - 1; position >= of.rows() - of.scored; --position) {
      while (sequence(*at).position > position) ++at;
      const std::int64_t row = sequence(*at).first_row + position - sequence(*at).position;
      batch_.asks.push_back({row, of.tokens[static_cast<std::size_t>(position + 1)], window});
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
  SharingOptions options_;
  const std::function<void(const SharedBatch&)>& visit_;
  SharedBatch batch_;
  std::vector<std::int64_t> path_;  ///< the sequences that hold the last window, each the next one's parent
  std::span<const TokenId> last_;   ///< inputs of the last window
  std::int64_t met_ = 0;            ///< positions that the sequences meet
};

}  // namespace

void for_each_shared_batch(std::span<const ScoredTokens> windows, const SharingOptions& options,
                           const std::function<void(const SharedBatch&)>& visit) {
  std::vector<std::size_t> order(windows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Descending, so that what another window begins with follows that window and has no rows of its own.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto of_a = inputs_of(windows[a]);
    const auto of_b = inputs_of(windows[b]);
    if (options.by_length && of_a.size() != of_b.size()) return of_a.size() > of_b.size();
    return std::lexicographical_compare(of_b.begin(), of_b.end(), of_a.begin(), of_a.end());
  });
  BatchBuilder builder(windows, options, visit);
  for (const std::size_t window : order) builder.add(window);
  builder.finish();
}

}  // namespace chainrule::pipeline::evaluate::requests
