#include "tests/support/made_checkpoint.h"

#include <vector>

#include "io/files/atomic_file.h"
#include "io/tensors/manifest.h"
#include "io/tensors/model_file.h"
#include "model/shape/parameters.h"
#include "pipeline/models/model_description.h"

namespace chainrule::tests {

void write_checkpoint(const std::filesystem::path& folder, const MadeCheckpoint& made) {
  std::filesystem::create_directories(folder);
  const model::shape::ParameterTable table(made.config);
  std::vector<io::tensors::NamedTensor> tensors;
  for (const auto& parameter : table.parameters()) {
    tensors.push_back({parameter.name, parameter.shape,
                       made.parameters.subspan(static_cast<std::size_t>(parameter.offset),
                                               static_cast<std::size_t>(parameter.size()))});
  }
  io::tensors::write_model_file(folder / "model.h5", tensors);
  io::files::write_file_atomically(folder / "tokenizer.json", made.tokenizer_json);
  pipeline::models::write_model_description(
      folder / "model.json",
      {made.config, made.tokenizer_fingerprint, pipeline::models::hash_of(made.parameters), made.step});
  std::vector<io::tensors::ManifestEntry> entries;
  for (const char* name : {"model.h5", "model.json", "tokenizer.json"}) {
    entries.push_back(io::tensors::describe_file(folder / name));
  }
  io::tensors::Manifest(folder, entries).write();
}

}  // namespace chainrule::tests
