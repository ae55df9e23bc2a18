#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::windows {

/// The rows of a unit are rounded up to a multiple of this, so that few shapes of products exist.
inline constexpr std::int64_t kUnitRowsMultiple = 64;

/// No machine holds the logits of so many rows; beyond it, arithmetic on rows could overflow.
inline constexpr std::int64_t kMostUnitRows = std::int64_t{1} << 30U;

/// What is scored at once: windows side by side in one batch, in stream order. A unit's shape and content depend on
/// the documents and the options alone, not on who scores it, so it gives the same bits wherever it runs.
struct WorkUnit {
  std::uint64_t index = 0;
  std::vector<Window> windows;
  std::int64_t window_rows = 0;  ///< rows in windows
  std::int64_t rows = 0;         ///< of the batch; those after the windows are padding
  std::int64_t scored = 0;       ///< scored tokens
};

struct WorkUnitOptions {
  protocol::ScoringOptions windows;
  std::int64_t micro_batch = 0;  ///< a unit's capacity in windows of full length, at least 1
};

/// Rows of the largest unit's batch.
std::int64_t maximum_unit_rows(const WorkUnitOptions& options);

/// The smallest micro-batch whose units have about the rows (1024) from which matrix products run at full speed.
std::int64_t default_micro_batch(std::int64_t context_length);

/// Every unit in order, made one at a time: windows are added until the next one would exceed micro-batch x N rows.
class WorkUnitCursor {
 public:
  WorkUnitCursor(const WorkUnitOptions& options, const io::tokens::DocumentTable& documents);

  /// Whether there is a further unit; then it is in unit (whose memory is used again).
  bool next(WorkUnit& unit);

 private:
  std::unique_ptr<WindowCursor> windows_;
  std::int64_t capacity_;
  Window waiting_;  ///< the window that the unit before had no room for
  bool has_waiting_;
  std::uint64_t units_ = 0;
};

/// Scored tokens of the units whose index is `index` modulo `count`.
std::uint64_t tokens_in_units(const WorkUnitOptions& options, const io::tokens::DocumentTable& documents,
                              std::uint64_t count, std::uint64_t index);

/// The rank that scores a unit: they are dealt in turn.
constexpr int rank_of_unit(std::uint64_t unit, int ranks) {
  return static_cast<int>(unit % static_cast<std::uint64_t>(ranks));
}

}  // namespace chainrule::pipeline::windows
