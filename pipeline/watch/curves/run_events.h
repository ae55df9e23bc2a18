#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace chainrule::pipeline::watch::curves {

/// In the order in which they happen at one step: a start from a step comes behind what that step left.
enum class EventKind { rollback, slow_rank, skipped, validation, checkpoint, stop, end, start };
inline constexpr int kEventKinds = 8;

/// "start", "slow rank", ...
const char* name_of(EventKind kind);

/// Something that happened to a run at a step.
struct RunEvent {
  EventKind kind = EventKind::start;
  std::int64_t step = 0;
  std::string time;                       ///< UTC, where it is known
  std::optional<double> elapsed_seconds;  ///< of the run, where it is known
  std::string text;                       ///< what there is to say; any bytes
};

/// The events of a run in bounded memory: of each kind the first and the last ones, and how many there were.
class RunEvents {
 public:
  void add(RunEvent event);

  /// In order of steps; of equal steps in order of kinds.
  std::vector<RunEvent> in_order() const;
  std::int64_t count(EventKind kind) const { return of(kind).count; }
  /// How many of a kind are not among in_order().
  std::int64_t left_out(EventKind kind) const;

 private:
  struct Kept {
    std::int64_t count = 0;
    std::vector<RunEvent> first;
    std::deque<RunEvent> last;
  };
  const Kept& of(EventKind kind) const { return kinds_[static_cast<std::size_t>(kind)]; }

  std::array<Kept, kEventKinds> kinds_;
};

}  // namespace chainrule::pipeline::watch::curves
