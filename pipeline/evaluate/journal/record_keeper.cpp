#include "pipeline/evaluate/journal/record_keeper.h"

#include <stdexcept>

namespace chainrule::pipeline::evaluate::journal {

const UnitResult& RecordKeeper::take(std::span<const std::byte> record) {
  constexpr std::chrono::seconds kSyncEvery{5};
  if (!read_record(record, result_)) throw std::runtime_error("a unit's result was damaged on its way");
  journal_.append(record);
  if (const Clock::time_point now = Clock::now(); now - synced_ > kSyncEvery) {
    journal_.sync();
    synced_ = now;
  }
  return result_;
}

}  // namespace chainrule::pipeline::evaluate::journal
