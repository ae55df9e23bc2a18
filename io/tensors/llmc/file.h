#pragma once
#include <filesystem>
#include <vector>

#include "io/tensors/llmc/header.h"
#include "io/tensors/mapped_tensors.h"
#include "io/tensors/tensor_source.h"

namespace chainrule::io::tensors::llmc {

/// The tensors of a model, given whole behind the header that parse_header read: under llm.c's names, wte [V, C]
/// without its padding.
TensorTable place_tensors(const Header& header, std::span<const std::byte> file);

/// A mapped llm.c model.
class LlmcFile final : public MappedTensors {
 public:
  /// Throws Error (missing_input, bad_data).
  static LlmcFile open(const std::filesystem::path& path);
  const Header& header() const { return header_; }

 private:
  LlmcFile(const std::filesystem::path& path, std::vector<files::MappedFile> file, const Header& header,
           TensorTable tensors)
      : MappedTensors(path, std::move(file), std::move(tensors)), header_(header) {}
  Header header_;
};

/// Writes a model; source has the tensors under llm.c's names, wte [V, C], and is read some rows at a time. The
/// vocabulary is padded to a multiple of 128 with rows of 0, whatever the header says. Read back, compared and put in
/// its place. Throws Error (cannot_create: also where path is already there; input_output; bad_data where source has a
/// tensor of another shape, or the vocabulary is too large to be padded), std::invalid_argument for another encoding
/// than f32 and bf16, and what source throws.
void write(const std::filesystem::path& path, Header header, const TensorSource& source);

}  // namespace chainrule::io::tensors::llmc
