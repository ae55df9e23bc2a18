#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/pretrain/inputs.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/windows/sample_source.h"

namespace chainrule::pipeline::pretrain {

/// The seeds of the sources' orders. The source that begins first (of those that begin together the first by name) has
/// the run's, so that a mix of one source is what --data is; the others have numbers made of it and of the order in
/// which they begin, so that a source that begins later changes no other's.
std::vector<std::uint64_t> source_seeds(const mix::Mix& mix, std::uint64_t seed);

/// What the run trains on. inputs outlives it.
std::unique_ptr<windows::SampleSource> make_samples(const PretrainOptions& options, const PretrainInputs& inputs);

/// How many of the first samples are of each source, with the fingerprint of its data.
std::vector<checkpoint::SourceState> source_states(const PretrainOptions& options, const PretrainInputs& inputs,
                                                   std::uint64_t samples);

/// A fingerprint of all sources' data: without a mix, the data's.
std::string fingerprint_of(const PretrainInputs& inputs);

/// Throws unless a checkpoint's samples were of these data (Error usage), and of each source as many as the mix says
/// (io::Error bad_data). Sources that the checkpoint has no sample of are not compared.
void check_sources(const checkpoint::TrainingState& state, const PretrainOptions& options,
                   const PretrainInputs& inputs);

/// Throws Error (usage) naming the first source that the run's steps go through more than options.max_epochs times.
void check_epochs(const PretrainOptions& options, const PretrainInputs& inputs);

/// Names the stages of the mix that the run ends before, having passed over so many samples: they hold once it is given
/// more steps, and may be a mistake. A branch has those of its trunk. Empty where there are none.
std::string stages_behind_end(const PretrainOptions& options, std::uint64_t samples_passed_over);

/// A table of the sources for people: tokens, weights by stage, samples and epochs of the whole run.
std::string sources_table(const PretrainOptions& options, const PretrainInputs& inputs);

}  // namespace chainrule::pipeline::pretrain
