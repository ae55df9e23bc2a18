#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "io/tensors/mapped_tensors.h"

namespace chainrule::io::tensors::safetensors {

/// Longest header that is read, as in Hugging Face's library.
inline constexpr std::uint64_t kMostHeaderBytes = 100'000'000;

/// The tensors of one safetensors file, given whole: u64 length of the header, the header as JSON, the tensors' bytes
/// (https://github.com/huggingface/safetensors#format). They must lie side by side, from the first byte behind the
/// header to the last of the file, each of them as long as its type and shape say. F32, F16 and BF16 are read,
/// other types that the format has listed. `file_name` is what messages name, in quotes. Throws Error bad_data.
TensorTable parse_file(std::span<const std::byte> file, std::string_view file_name);

}  // namespace chainrule::io::tensors::safetensors
