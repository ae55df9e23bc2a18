#pragma once
#include <chrono>
#include <cstddef>
#include <span>

#include "pipeline/evaluate/journal/journal.h"

namespace chainrule::pipeline::evaluate::journal {

/// Puts records as they come from ranks into a journal, which it syncs every few seconds.
class RecordKeeper {
 public:
  /// journal outlives it.
  explicit RecordKeeper(Journal& journal) : journal_(journal), synced_(Clock::now()) {}

  /// What the record says; valid until the next one. Throws std::runtime_error where it was damaged on its way, and
  /// what Journal throws.
  const UnitResult& take(std::span<const std::byte> record);
  void finish() { journal_.sync(); }

 private:
  using Clock = std::chrono::steady_clock;

  Journal& journal_;
  UnitResult result_;
  Clock::time_point synced_;
};

}  // namespace chainrule::pipeline::evaluate::journal
