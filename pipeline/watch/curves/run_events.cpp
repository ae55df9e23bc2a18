#include "pipeline/watch/curves/run_events.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace chainrule::pipeline::watch::curves {
namespace {

/// Those of each kind that a person looks for are few; validations and checkpoints come by the thousand.
struct Most {
  std::size_t first, last;
};

constexpr Most most_of(EventKind kind) {
  switch (kind) {
    case EventKind::validation:
    case EventKind::checkpoint: return {1, 5};
    case EventKind::start:
    case EventKind::rollback:
    case EventKind::slow_rank:
    case EventKind::skipped:
    case EventKind::stop:
    case EventKind::end: break;
  }
  return {10, 20};
}

}  // namespace

const char* name_of(EventKind kind) {
  constexpr const char* kNames[kEventKinds] = {"rollback",   "slow rank", "skipped step", "validation",
                                               "checkpoint", "stop",      "end",          "start"};
  return kNames[static_cast<int>(kind)];
}

void RunEvents::add(RunEvent event) {
  Kept& kept = kinds_[static_cast<std::size_t>(event.kind)];
  const Most most = most_of(event.kind);
  ++kept.count;
  if (kept.first.size() < most.first) {
    kept.first.push_back(std::move(event));
    return;
  }
  kept.last.push_back(std::move(event));
  if (kept.last.size() > most.last) kept.last.pop_front();
}

std::int64_t RunEvents::left_out(EventKind kind) const {
  const Kept& kept = of(kind);
  return kept.count - static_cast<std::int64_t>(kept.first.size() + kept.last.size());
}

std::vector<RunEvent> RunEvents::in_order() const {
  std::vector<RunEvent> all;
  for (const Kept& kept : kinds_) {
    all.insert(all.end(), kept.first.begin(), kept.first.end());
    all.insert(all.end(), kept.last.begin(), kept.last.end());
  }
  std::stable_sort(all.begin(), all.end(), [](const RunEvent& a, const RunEvent& b) {
    return std::tie(a.step, a.kind) < std::tie(b.step, b.kind);
  });
  return all;
}

}  // namespace chainrule::pipeline::watch::curves
