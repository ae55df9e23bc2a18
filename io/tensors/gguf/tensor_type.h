#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "io/tensors/encoding.h"

namespace chainrule::io::tensors::gguf {

/// What a tensor's type is by its number in files (ggml's).
struct TensorType {
  std::string name;                  ///< ggml's, "type 77" for one that is not known
  std::optional<BlockSize> block;    ///< nothing: not known
  std::optional<Encoding> encoding;  ///< nothing: not read
};
TensorType tensor_type(std::uint32_t number);

}  // namespace chainrule::io::tensors::gguf
