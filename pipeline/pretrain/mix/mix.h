#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/windows/batch_sizes.h"
#include "pipeline/windows/mix_order.h"

namespace chainrule::pipeline::pretrain::mix {

/// Weights are counted in so many parts of 1: decimals have up to six digits behind the point.
inline constexpr std::uint64_t kWeightUnit = 1'000'000;
/// No stage begins later, so that its first sample can be counted.
inline constexpr std::int64_t kLastStep = 1'000'000'000'000;

struct Source {
  std::string name;            ///< letters, digits, - _ . ; empty: of a run that has no mix
  std::filesystem::path data;  ///< as --data takes it
};

/// From behind a step on, the weights of sources.
struct Stage {
  std::int64_t step = 0;
  std::vector<std::uint64_t> weights;  ///< in 1 / kWeightUnit, one for each source
};

/// What a run trains on, in which proportions, and how these change.
struct Mix {
  std::vector<Source> sources;  ///< in the order of their names
  std::vector<Stage> stages;    ///< in the order of their steps, from step 0; each of other proportions than the last

  bool empty() const { return sources.empty(); }
  /// The index of a source; empty where none has the name.
  std::optional<std::size_t> find(std::string_view name) const;
  /// The weights behind a step.
  const Stage& stage_behind(std::int64_t step) const;
};

/// All samples from one place: what --data is.
Mix of_one_source(const std::filesystem::path& data);

/// Reads what --mix was given: NAME=DATA:WEIGHT or NAME=DATA:WEIGHT@STEP, from behind that step on; a source named with
/// its data elsewhere may also be given as NAME:WEIGHT@STEP. DATA may hold : = and @. A source that a stage does not
/// name keeps its weight, 0 before its first. Throws Error (usage) naming the entry and what is wrong with it.
Mix parse_mix(const std::vector<std::string>& entries);
/// The entries that parse_mix() reads as this.
std::vector<std::string> to_entries(const Mix& mix);
/// A weight as a decimal.
std::string weight_text(std::uint64_t weight);

/// Reads what --mix-validation was given, NAME=DATA each, of sources of the mix. Throws Error (usage).
std::map<std::string, std::filesystem::path> parse_validation(const std::vector<std::string>& entries, const Mix& mix);

/// How a run goes on that has taken `step` steps by the mix `saved` and is asked for the mix `asked`: as asked, where
/// that says of the steps so far what they were; otherwise asked may hold no stage that begins between 0 and `step`,
/// and its weights hold from behind `step` on. Throws Error (usage) naming what else differs.
Mix continued(const Mix& saved, const Mix& asked, std::int64_t step);

/// The samples of a run of so many steps, and of those that it goes on to where samples are passed over. Throws Error
/// (usage) where they cannot be counted.
windows::MixOrder order_of(const Mix& mix, const windows::BatchSizes& batches, std::int64_t steps);

}  // namespace chainrule::pipeline::pretrain::mix
