#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "pipeline/pretrain/mix/mix.h"
#include "pipeline/run/configuration.h"

namespace chainrule::pipeline::pretrain::mix {

/// The mix in a run's config.cfg; empty in a run without. Throws io::Error bad_data, naming the file.
Mix mix_in(const run::Configuration& configuration, const std::filesystem::path& file);
/// Writes it there; a mix of one source without a name changes nothing.
void set_mix(run::Configuration& configuration, const Mix& mix);

/// Throws Error (usage) where one of a run's starts has a mix and the other has not.
void check_same_kind(const run::Configuration& saved, const run::Configuration& now);

}  // namespace chainrule::pipeline::pretrain::mix
