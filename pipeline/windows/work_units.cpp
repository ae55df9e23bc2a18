#include "pipeline/windows/work_units.h"

#include "model/round_up.h"

namespace chainrule::pipeline::windows {
namespace {

constexpr std::int64_t kFullSpeedRows = 1024;

std::int64_t rounded_up(std::int64_t rows) { return model::round_up(rows, kUnitRowsMultiple); }

std::int64_t capacity_of(const WorkUnitOptions& options) {
  return options.micro_batch * options.windows.context_length;
}

}  // namespace

std::int64_t maximum_unit_rows(const WorkUnitOptions& options) { return rounded_up(capacity_of(options)); }

std::int64_t default_micro_batch(std::int64_t context_length) {
  return model::divide_up(kFullSpeedRows, context_length);
}

WorkUnitCursor::WorkUnitCursor(const WorkUnitOptions& options, const io::tokens::DocumentTable& documents)
    : windows_(protocol::make_cursor(options.windows, documents)),
      capacity_(capacity_of(options)),
      has_waiting_(windows_->next(waiting_)) {}

bool WorkUnitCursor::next(WorkUnit& unit) {
  if (!has_waiting_) return false;
  unit.index = units_++;
  unit.windows.clear();
  unit.window_rows = 0;
  unit.scored = 0;
  do {
    unit.windows.push_back(waiting_);
    unit.window_rows += waiting_.rows;
    unit.scored += waiting_.scored;
    has_waiting_ = windows_->next(waiting_);
  } while (has_waiting_ && unit.window_rows + waiting_.rows <= capacity_);
  unit.rows = rounded_up(unit.window_rows);
  return true;
}

std::uint64_t tokens_in_units(const WorkUnitOptions& options, const io::tokens::DocumentTable& documents,
                              std::uint64_t count, std::uint64_t index) {
  std::uint64_t tokens = 0;
  WorkUnitCursor units(options, documents);
  for (WorkUnit unit; units.next(unit);) {
    if (unit.index % count == index) tokens += static_cast<std::uint64_t>(unit.scored);
  }
  return tokens;
}

}  // namespace chainrule::pipeline::windows
