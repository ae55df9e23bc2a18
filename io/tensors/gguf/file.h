#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "io/tensors/gguf/metadata.h"
#include "io/tensors/mapped_tensors.h"

namespace chainrule::io::tensors::gguf {

/// A GGUF file's key-value pairs and tensors; shapes row-major, so the file's dimensions in reverse.
struct Contents {
  Metadata metadata;
  TensorTable tensors;
};

/// Reads a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), given whole: little-endian, version 2
/// or 3, not split. No key or tensor may be there twice, and each tensor lies at a multiple of the alignment, inside
/// the file and apart from all others. F32, F16, BF16, Q8_0, Q4_0 and Q4_1 are read, other types listed. `file_name` is
/// what messages name, in quotes. Throws Error bad_data.
Contents parse_file(std::span<const std::byte> file, std::string_view file_name);

/// A mapped GGUF file.
class GgufFile final : public MappedTensors {
 public:
  /// Throws Error (missing_input, bad_data).
  static GgufFile open(const std::filesystem::path& path);
  const Metadata& metadata() const { return metadata_; }

 private:
  GgufFile(const std::filesystem::path& path, std::vector<files::MappedFile> file, Contents contents)
      : MappedTensors(path, std::move(file), std::move(contents.tensors)), metadata_(std::move(contents.metadata)) {}
  Metadata metadata_;
};

}  // namespace chainrule::io::tensors::gguf
