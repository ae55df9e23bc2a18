#include "io/tensors/manifest.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(manifest) {
  for (const auto& entry : chainrule::io::tensors::parse_manifest(bytes, "fuzz")) {
    chainrule::fuzz::require(!entry.name.empty() && entry.name.find('/') == std::string::npos,
                             "an entry is a file beside the manifest");
  }
}
