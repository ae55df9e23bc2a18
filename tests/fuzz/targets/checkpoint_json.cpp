#include "pipeline/models/model_description.h"
#include "pipeline/pretrain/checkpoint/training_state.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/target.h"

namespace {

namespace checkpoint = chainrule::pipeline::pretrain::checkpoint;
namespace models = chainrule::pipeline::models;
using chainrule::fuzz::MemoryFolder;

void read_description(std::string_view bytes) {
  const MemoryFolder folder;
  const auto description = models::read_model_description(folder.write("model.json", bytes));
  models::write_model_description(folder.path() / "written", description);
  const auto again =
      chainrule::fuzz::read_again([&] { return models::read_model_description(folder.path() / "written"); });
  chainrule::fuzz::require(again.config == description.config && again.step == description.step &&
                               again.weights_hash == description.weights_hash,
                           "a description is written as it was read");
}

void read_state(std::string_view bytes) {
  const MemoryFolder folder, written;
  folder.write(checkpoint::kStateName, bytes);
  const auto state = checkpoint::read_training_state(folder.path());
  checkpoint::write_training_state(written.path() / checkpoint::kStateName, state);
  const auto again = chainrule::fuzz::read_again([&] { return checkpoint::read_training_state(written.path()); });
  chainrule::fuzz::require(again.step == state.step && again.samples_consumed == state.samples_consumed &&
                               again.recent_losses == state.recent_losses &&
                               again.elapsed_seconds == state.elapsed_seconds &&
                               again.sources.size() == state.sources.size(),
                           "a state is written as it was read");
}

}  // namespace

/// A checkpoint's model.json, or its state.json.
FUZZ_TARGET(checkpoint_json) {
  const bool is_state = bytes.find("chainrule-training-state") != std::string_view::npos;
  is_state ? read_state(bytes) : read_description(bytes);
}
