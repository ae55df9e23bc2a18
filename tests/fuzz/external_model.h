#pragma once
#include "io/error.h"
#include "pipeline/models/external/external_model.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/use_tokenizer.h"

namespace chainrule::fuzz {

/// Opens a model as whoever runs it does: its weights, and the tokenizer that it brings. Throws io::Error bad_data.
inline void use_model(const std::filesystem::path& path) {
  const auto external = pipeline::models::external::open_external_model(path);
  if (!external) throw io::Error(io::ErrorKind::bad_data, "no model");
  pipeline::models::external::weights_of(*external);
  if (external->load_tokenizer) ids_of_text(external->load_tokenizer());
}

/// A model in one file.
inline void use_model(std::string_view bytes) { use_model(MemoryFile(bytes).path()); }

}  // namespace chainrule::fuzz
