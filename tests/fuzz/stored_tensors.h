#pragma once
#include "io/tensors/mapped_tensors.h"
#include "tests/fuzz/target.h"

namespace chainrule::fuzz {

/// What readers of tensors promise: bytes inside the file, as many as encoding and shape take.
inline void check_tensors(const io::tensors::TensorTable& tensors, std::string_view file) {
  const auto* begin = reinterpret_cast<const std::byte*>(file.data());
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.bytes.empty()) {
      require(tensor.bytes.data() >= begin && tensor.bytes.size() <= file.size() &&
                  tensor.bytes.data() + tensor.bytes.size() <= begin + file.size(),
              "a tensor lies inside the file");
    }
    if (!tensor.encoding) continue;
    const auto bytes = io::tensors::tensor_bytes(io::tensors::block_size(*tensor.encoding), tensor.shape);
    require(bytes && static_cast<std::uint64_t>(*bytes) == tensor.bytes.size(), "a tensor has the bytes of its shape");
  }
}

}  // namespace chainrule::fuzz
