#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace chainrule::pipeline::pretrain::checkpoint {

/// What a run has taken from one source of its mix.
struct SourceState {
  std::string name;
  std::uint64_t samples = 0;
  std::string data_fingerprint;
};

/// state.json of a checkpoint: where the loop stands, and what the bits of its continuation rest on.
struct TrainingState {
  std::int64_t step = 0;
  std::uint64_t samples_consumed = 0;
  std::uint64_t samples_passed_over = 0;  ///< of them: that led to a divergence, and no step of now has used
  std::int64_t skipped_in_row = 0;        ///< the last so many steps were passed over
  std::vector<double> recent_losses, recent_gradient_norms;  ///< see step::RecentSteps; empty where outliers are taken
  double elapsed_seconds = 0;                                ///< in the loop, over all starts
  std::string data_fingerprint;
  std::vector<SourceState> sources;  ///< empty where there is no mix
  std::string arena_layout;          ///< fingerprint of names, shapes and offsets
  std::string program_digest;
  std::string instruction_set;
  int threads_per_rank = 0;
};

inline constexpr const char* kStateName = "state.json";

/// Throws io::Error.
void write_training_state(const std::filesystem::path& path, const TrainingState& state);

/// state.json of a checkpoint. Throws io::Error.
TrainingState read_training_state(const std::filesystem::path& checkpoint);

}  // namespace chainrule::pipeline::pretrain::checkpoint
