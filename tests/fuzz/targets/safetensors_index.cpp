#include "io/tensors/safetensors/index.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(safetensors_index) {
  for (const auto& [tensor, file] : chainrule::io::tensors::safetensors::parse_index(bytes, "'fuzz'")) {
    chainrule::fuzz::require(!file.empty() && file.find('/') == std::string::npos && file != "..",
                             "a shard is a file beside the index");
  }
}
