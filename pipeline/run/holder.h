#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/run/process_identity.h"

namespace chainrule::pipeline::run {

/// Who holds something by a hold file, as the file says.
struct Holder {
  std::string id;  ///< of this hold, 32 hexadecimal digits that no other has
  ProcessIdentity process;
  std::string since;             ///< UTC
  std::string job;               ///< "Slurm 4711"; empty outside of batch jobs
  std::int64_t job_restart = 0;  ///< how often the batch system had begun the job anew
};

/// A new hold of this process.
Holder new_holder();

std::string to_json_text(const Holder& holder);
/// Nothing where it is not what to_json_text() gave.
std::optional<Holder> parse_holder(std::string_view json);

/// "process 12 on n1 since 2026-01-31T12:00:00Z (Slurm 4711)", in one line whatever it says.
std::string name_of(const Holder& holder);

/// A server that fails over may leave everybody waiting for minutes.
inline constexpr std::chrono::minutes kPatience{5};

/// How long, at most kPatience, a holder that cannot be seen may leave its hold file alone before `mine` may take it
/// for dead, if it does not refresh it under its eyes either: not at all where another boot of its host, or a later
/// start of its own batch job, asks.
std::chrono::seconds patience_with(const Holder& holder, const Holder& mine);

}  // namespace chainrule::pipeline::run
