#pragma once
#include <cstdint>
#include <filesystem>

#include "io/tensors/encoding.h"
#include "io/tensors/tensor_source.h"

namespace chainrule::io::tensors::safetensors {

struct WriteOptions {
  /// f32, or bf16: rounded to nearest, ties to even.
  Encoding encoding = Encoding::f32;
  /// Bytes of tensors a file, as transformers counts them; a larger tensor has a file of its own.
  std::int64_t most_file_bytes = 5'000'000'000;
};

/// Writes all tensors of source, in its order, into a folder that is there: model.safetensors, or
/// model-00001-of-0000N.safetensors and so on and, last, model.safetensors.index.json. Some rows at a time are in
/// memory. Each file is read back and compared before it is put in its place; the folder is whole when this returns, so
/// a caller who wants it whole or not at all writes it beside its place (io/files/published_folder.h). Throws Error
/// (cannot_create: also where a file is already there; input_output), and what source throws.
void write(const std::filesystem::path& folder, const TensorSource& source, const WriteOptions& options);

}  // namespace chainrule::io::tensors::safetensors
